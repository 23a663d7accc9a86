// Processes beside the server's own: begun, heard, and begun again when they die.
import { type ChildProcess, fork } from "node:child_process";

type Program = {
  /** As it is called in the terminal. */
  name: string;
  file: string;
  args: string[];
  /** Asked each time it begins. */
  env?(): Record<string, string>;
  /** The first thing that it is told. */
  greeting?(): object;
  // biome-ignore lint/suspicious/noExplicitAny: what it says is typed by whoever runs it
  hear?(said: any): void;
};

export type Kept = {
  /** Passed over while it is being begun again. */
  send(message: object): void;
  /** At once, and for good. */
  end(): void;
};

/** Called by what is kept: ends it when the process that began it is gone, however that went. */
export function endWithParent(): void {
  process.on("disconnect", () => process.exit());
  // Gone already, while this one was beginning.
  if (!process.connected) process.exit();
}

let ending: boolean | undefined;

/** Ctrl-C reaches them as well: what ends together with us has not died. What ends us stands in serve(). */
function noticeEnd() {
  if (ending !== undefined) return;
  ending = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => {
      ending = true;
    });
}

/** Keeps a program running, one that calls `endWithParent`. */
export function keep({ name, file, args, env, greeting, hear }: Program): Kept {
  let child: ChildProcess;
  let over = false;
  let timer: NodeJS.Timeout;

  function begin() {
    child = fork(file, args, {
      env: { ...process.env, ...env?.() },
      // Its own "listening on …" is none of the reader's business; an error is.
      stdio: ["pipe", "ignore", "inherit", "ipc"],
    });
    console.log(`${name}: process ${child.pid}`);
    if (hear) child.on("message", hear);
    child.on("error", (error) => console.log(`${name}: ${error.message}`));
    child.on("exit", (code, signal) => {
      // Not at once: when Ctrl-C ends us all, its death may be told before our own signal is.
      timer = setTimeout(() => {
        if (over || ending) return;
        console.log(`${name}: ended (${signal ?? `exit code ${code}`}), begun again`);
        begin();
      }, 300);
    });
    if (greeting) child.send(greeting());
  }

  noticeEnd();
  begin();
  return {
    send: (message) => void (child.connected && child.send(message, () => {})),
    end() {
      over = true;
      clearTimeout(timer);
      child.kill("SIGKILL");
    },
  };
}
