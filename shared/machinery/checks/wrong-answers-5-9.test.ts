// Wrong answers to the exercises 5 to 9.
import { describe } from "vitest";
import { everyWrongAnswer } from "./testing.ts";

describe("a wrong answer", () => everyWrongAnswer((lesson) => lesson >= "05" && lesson < "10"));
