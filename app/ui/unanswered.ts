/**
 * What `ask` answers; where nobody answered, `otherwise`, so that a form stays on the page with its words. That it is
 * `refused` keeps the page from being asked for again, which would take it away.
 */
export async function answerOr<Answer, Otherwise extends { refused: unknown }>(
  ask: () => Promise<Answer>,
  otherwise: () => Otherwise | Promise<Otherwise>,
): Promise<Answer | Otherwise> {
  try {
    return await ask();
  } catch (error) {
    // That is how a browser says that nobody answered.
    if (!(error instanceof TypeError)) throw error;
    return otherwise();
  }
}
