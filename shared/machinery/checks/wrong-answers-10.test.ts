// Wrong answers to the exercises from 10 on.
import { describe } from "vitest";
import { everyWrongAnswer } from "./testing.ts";

describe("a wrong answer", () => everyWrongAnswer((lesson) => lesson >= "10"));
