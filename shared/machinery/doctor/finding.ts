/** What the doctor found out about one thing. */
export type Finding = {
  /** "Port 8080" */
  about: string;
  /** `stop`: lessons won't run until it is fixed. `note`: they run, and something else may not. */
  verdict: "ok" | "note" | "stop";
  found: string;
  /** What to do about it. */
  advice?: string;
};
