// The box that shows, in the page itself, what went wrong in the page's own code.

export type Fault = {
  title: string;
  /** File, line and column. */
  where?: string | undefined;
  /** The line in question, with a caret below it. */
  code?: string | undefined;
  text: string;
};

/** Shows a fault in the page and in the console. The first one stays: later ones mostly follow from it. */
export function showFault({ title, where, code, text }: Fault) {
  console.error([title, where, code, text].filter(Boolean).join("\n"));
  if (faultIsShown()) return;
  const box = element("section", undefined, {
    ...{ position: "fixed", inset: "auto 0 0 0", zIndex: "2147483647", boxSizing: "border-box" },
    ...{ maxHeight: "60vh", overflow: "auto", padding: "1rem 1.5rem 1.5rem", margin: "0" },
    ...{ background: "#fff6f0", color: "#3a1500", borderTop: "6px solid #d55e00" },
    ...{ font: "16px/1.5 system-ui, sans-serif", textAlign: "left", colorScheme: "light" },
  });
  box.id = "workshop-fault";
  box.setAttribute("role", "alert");
  box.append(element("strong", title, { display: "block", fontSize: "20px" }));
  if (where) box.append(element("div", where, { fontFamily: "ui-monospace, monospace" }));
  if (code)
    box.append(
      element("pre", code, {
        ...{
          margin: "0.75rem 0",
          padding: "0.75rem",
          overflow: "auto",
          background: "#fff",
          color: "#3a1500",
        },
        ...{ font: "16px/1.4 ui-monospace, monospace", border: "1px solid #d55e00", tabSize: "4" },
      }),
    );
  box.append(element("div", text, {}));
  // A module may run before the page has a body.
  (document.body ?? document.documentElement).append(box);
}

/** Whether the page shows a fault at this moment. */
export function faultIsShown(): boolean {
  return document.getElementById("workshop-fault") !== null;
}

function element(name: string, text: string | undefined, style: Partial<CSSStyleDeclaration>): HTMLElement {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  Object.assign(made.style, style);
  return made;
}
