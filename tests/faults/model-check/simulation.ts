/**
 * Virtual time for the model check: a queue of events, processes that can be killed or stalled and whose clocks
 * are wrong, and one seeded source of chance. A seed is replayed exactly, since nothing else decides anything.
 */

/** Seeded chance. */
export class Chance {
  private state: number;

  constructor(seed: number) {
    this.state = (seed * 2_654_435_761) >>> 0;
  }

  /** From 0 up to 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number, both ends included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  happens(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.next() * choices.length)];
    if (choice === undefined) throw new Error("Nothing to pick from");
    return choice;
  }
}

interface Scheduled {
  at: number;
  order: number;
  work: () => void;
}

const isBefore = (one: Scheduled, other: Scheduled): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);

/** Runs everything that promises have waiting. Ticks come after all microtasks. */
const settleAll = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

export class Simulation {
  readonly chance: Chance;
  /** True time, in milliseconds since the epoch. */
  now = 1_800_000_000_000;
  private readonly queue: Scheduled[] = [];
  private order = 0;

  constructor(chance: Chance) {
    this.chance = chance;
  }

  /** Runs `work` after `delay` milliseconds of true time. */
  after(delay: number, work: () => void): void {
    const event = { at: this.now + Math.max(0, delay), order: this.order++, work };
    const { queue } = this;
    let index = queue.length;
    queue.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = queue[parent] as Scheduled;
      if (!isBefore(event, above)) break;
      queue[index] = above;
      index = parent;
    }
    queue[index] = event;
  }

  sleep(delay: number): Promise<void> {
    return new Promise((resolve) => this.after(delay, resolve));
  }

  /** Lets time pass until a moment of true time. */
  async runUntil(end: number): Promise<void> {
    await settleAll();
    for (let next = this.queue[0]; next && next.at <= end; next = this.queue[0]) {
      this.removeFirst();
      this.now = Math.max(this.now, next.at);
      next.work();
      await settleAll();
    }
    this.now = Math.max(this.now, end);
  }

  private removeFirst(): void {
    const { queue } = this;
    const last = queue.pop() as Scheduled;
    if (queue.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= queue.length) break;
      const right = queue[child + 1];
      if (right && isBefore(right, queue[child] as Scheduled)) child++;
      const below = queue[child] as Scheduled;
      if (!isBefore(below, last)) break;
      queue[index] = below;
      index = child;
    }
    queue[index] = last;
  }
}

/** One server process. What is under way inside it when it is killed never goes on. */
export class Process {
  isAlive = true;
  private readonly simulation: Simulation;
  private readonly offset: number;
  private resumesAt = 0;
  private readonly mourners = new Set<() => void>();

  /** `offset`: how far its clock is ahead of true time, in milliseconds. */
  constructor(simulation: Simulation, offset: number) {
    this.simulation = simulation;
    this.offset = offset;
  }

  readonly now = (): number => Math.floor(this.simulation.now + this.offset);

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      signal?.addEventListener("abort", () => resolve(), { once: true });
      this.simulation.after(ms, () => this.enter(resolve));
    });

  /** Goes on inside the process: never if it is dead, and after its stall if it has one. */
  enter(work: () => void): void {
    if (!this.isAlive) return;
    const wait = this.resumesAt - this.simulation.now;
    if (wait > 0) this.simulation.after(wait, () => this.enter(work));
    else work();
  }

  stall(ms: number): void {
    this.resumesAt = Math.max(this.resumesAt, this.simulation.now + ms);
  }

  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const mourner of [...this.mourners]) mourner();
    this.mourners.clear();
  }

  /** Calls back once if it is killed. Returns how to take that back. */
  onKill(mourner: () => void): () => void {
    this.mourners.add(mourner);
    return () => this.mourners.delete(mourner);
  }
}
