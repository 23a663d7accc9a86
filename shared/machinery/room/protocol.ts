// What the room's server sends to its page.
import type { Person } from "./grid.ts";

/** An exercise, with the titles of its checks. */
export type Exercise = { folder: string; number: number; title: string; exercise: string; checks: string[] };

/**
 * At each connection, everything. `address` is where learners send their results: "http://192.0.2.7:8001". It is
 * undefined while the network can't reach the room.
 */
export type Everything = {
  exercises: Exercise[];
  people: Person[];
  isOpen: boolean;
  address?: string | undefined;
};

/** Rows that are new or have changed. */
export type Changed = Person[];
