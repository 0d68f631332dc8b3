/** Counts what the table charges: every call of the app's own client is asked to say what it consumed. */
import { documents } from "~/data/table.server";

export interface Units {
  read: number;
  written: number;
  calls: number;
}

interface Capacity {
  CapacityUnits?: number;
}

let counted: Units = { read: 0, written: 0, calls: 0 };
const reads = /^(?:Get|BatchGet|Query)/;

documents.middlewareStack.add(
  (next, context) => async (args) => {
    Object.assign(args.input, { ReturnConsumedCapacity: "TOTAL" });
    const answer = await next(args);
    const { ConsumedCapacity } = answer.output as { ConsumedCapacity?: Capacity | Capacity[] };
    if (!ConsumedCapacity) throw new Error(`${context.commandName} does not say what it consumed`);
    const said = [ConsumedCapacity].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
    // What finds nothing costs as much as 4 KB, which the local table forgets.
    const { ConsistentRead } = args.input as { ConsistentRead?: boolean };
    const units = context.commandName === "QueryCommand" ? Math.max(said, ConsistentRead ? 1 : 0.5) : said;
    if (reads.test(String(context.commandName))) counted.read += units;
    else counted.written += units;
    counted.calls++;
    return answer;
  },
  { step: "initialize", name: "countUnits", override: true },
);

/** What the table charged for this work. One piece of work at a time. */
export async function unitsOf<T>(work: () => Promise<T>): Promise<Units & { result: T }> {
  counted = { read: 0, written: 0, calls: 0 };
  const result = await work();
  return { ...counted, result };
}
