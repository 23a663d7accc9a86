// Wrong answers to the exercises 1 to 4.
import { describe } from "vitest";
import { everyWrongAnswer } from "./testing.ts";

describe("a wrong answer", () => everyWrongAnswer((lesson) => lesson < "05"));
