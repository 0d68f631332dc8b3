/** The part `recall` of the benchmark. */
import { recallTable } from "./recall";

export async function print(): Promise<void> {
  console.log(recallTable());
}
