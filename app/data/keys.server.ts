/**
 * The keys of the one table, and its access patterns. Every item that holds a person's data begins with the
 * owner's id, so a query that forgets the owner cannot be written. Items without an owner hold no such data.
 *
 * A function that touches the table stands in this list, and nothing in this list is missing from the code
 * (a test compares both). Units: RU = 4 KB read consistently (half of it eventually), WU = 1 KB written; a
 * write of an item with `activityAt` costs one or two more for the index.
 *
 * | pattern                                  | operation                       | function                          | units |
 * |------------------------------------------|---------------------------------|-----------------------------------|-------|
 * | one thread                               | Get THREAD#, consistent         | getThread, requireThread          | 1 RU  |
 * | a page of threads, pinned, then newest   | Query byActivity THREAD#        | listThreads                       | 1 RU a 4 KB |
 * | rename a thread                          | Update THREAD#                  | renameThread                      | 3 WU  |
 * | a thread's first title, if it has none   | Update THREAD#                  | titleThread                       | 3 WU  |
 * | change some of a thread's settings       | Update THREAD#                  | changeThreadSettings              | 1 WU a KB |
 * | a system prompt passed the guardrail     | Update THREAD#                  | keepPromptPass                    | 1 WU a KB |
 * | dismiss a note that an answer proposes   | Update THREAD#                  | dismissSuggestion                 | 1 WU  |
 * | pin a thread                             | Get, then Update THREAD#        | pinThread                         | 1 RU, 3 WU |
 * | a thread was just used                   | Update THREAD#                  | touchThread                       | 3 WU  |
 * | threads whose retention is over          | Query byActivity THREAD#0#      | listExpiredThreads                | 1 RU a 4 KB |
 * | threads that were deleted                | Query byActivity DELETED#       | listTombstones                    | 1 RU a 4 KB |
 * | a deletion is wholly finished            | Update THREAD#                  | forgetTombstone                   | 3 WU  |
 * | a thread or its RUN, before deciding     | Get THREAD# or RUN, consistent  | runStore.get                      | 1 RU  |
 * | a RUN, to read along                     | Get RUN                         | runStore.get                      | 0.5 RU |
 * | a run's question or answer               | Get MESSAGE#, consistent        | runStore.get                      | 1 RU a 4 KB |
 * | which threads answer, which are unread   | Get ACTIVITY                    | runStore.get                      | 0.5 RU a 4 KB |
 * | the messages of a thread, a page         | Query MESSAGE#                  | runStore.list                     | 0.5 RU a 4 KB |
 * | the log of a run                         | Query CHUNK#<claim>, consistent | runStore.list                     | 1 RU a 4 KB |
 * | a question, an answer                    | Put MESSAGE#, if absent         | runStore.put                      | 1 WU a KB |
 * | a thread, once its first question is in  | Put THREAD#, if absent          | runStore.put                      | 2 WU  |
 * | text that no longer fits into RUN        | Put CHUNK#, if absent           | runStore.put                      | 1 WU  |
 * | reasoning, beside a beat                 | Put CHUNK#<claim>#thought#      | runStore.put                      | 1 WU  |
 * | an answer's reasoning                    | Query CHUNK#<claim>#thought#    | runStore.list                     | 1 RU a 4 KB |
 * | what a run without a question was given  | Put CHUNK#<claim>#context       | runStore.put                      | 1 WU  |
 * | claim, beat, end, reap or stop a run     | Update RUN                      | runStore.update                   | 1 WU  |
 * | a run begins or ends, an answer is seen  | Update ACTIVITY                 | runStore.update                   | 1 WU a KB |
 * | delete a thread (a tombstone)            | Update THREAD#, Update RUN      | runStore.update                   | 4 WU  |
 * | the log of a blocked run                 | Delete CHUNK#                   | runStore.delete                   | 1 WU  |
 * | sweep a deleted thread                   | Query, then BatchWrite, by key  | runStore.sweep                    | 1 RU a 4 KB, 1 WU a KB |
 * | how full a window would be, before sending | as a run reads: THREAD#, RUN or a tip, a page of MESSAGE#, notes | getThread, runStore.list, estimateNotesFor | 1 RU, 0.5 RU a 4 KB of 40 messages, the notes |
 * | a thread's note numbers                  | Get NUMBERS, consistent         | getNumbers                        | 1 RU  |
 * | number notes new to a thread             | Put NUMBERS                     | numberNotes                       | 1 WU  |
 * | one note                                 | Get NOTE#, consistent           | getNote, requireNote, getNoteOrTombstone | 1 RU a 4 KB |
 * | how the notes of a thread's page stand   | BatchGet NOTE#, consistent      | getNoteStates | 1 RU a 4 KB, each |
 * | a page of notes, pinned, then newest     | Query byActivity NOTE#          | listNotes                         | 1 RU a 4 KB |
 * | titles of notes, to choose from          | Query byActivity NOTE#          | listTitles                        | 1 RU a 4 KB |
 * | how many notes, in a process that knows them | the three lists             | countNotes                        | 3 RU |
 * | how many notes, in a process that begins | as openNotes                    | countNotes                        | as openNotes |
 * | how many notes, where NOTEINDEX is missing or old | Query byActivity NOTE#, COUNT | countCards, countNotes      | 1 RU a 4 KB, beside these |
 * | all notes with their texts               | Query NOTE#, consistent         | listAllNotes, searchNotes         | 1 RU a 4 KB |
 * | cards of notes, changed since or all pinned | Query byActivity NOTE#0#, NOTE#1# | listChangedCards             | 1 RU a 4 KB |
 * | notes deleted since                      | Query byActivity DELETED#       | listDeletedNotes                  | 1 RU a 4 KB |
 * | the notes that go into a prompt          | BatchGet NOTE#                  | getNotes                          | 0.5 RU a 4 KB, at least one each; those just changed twice that |
 * | what changed in a person's notes, in a process that knows them | the three lists | openNotes           | 3 RU |
 * | what is known of a person's notes, in a process that begins | Query NOTEINDEX, and the three lists | openNotes | 0.5 RU a 4 KB, about a tenth of the notes' size, and 6 RU |
 * | choose and read notes for a question     | openNotes, then getNotes        | chooseNotesFor, estimateNotesFor  | as these |
 * | a new note                               | Put NOTE#, if absent            | createNote                        | 2 WU, 1 a KB |
 * | new words for a note                     | Get, then Update NOTE#          | saveNote                          | 1 RU a 4 KB, 3 WU, 1 a KB |
 * | pin a note                               | Get, then Update NOTE#          | pinNote                           | as saveNote |
 * | delete a note (a tombstone), undo that   | Get, then Update NOTE#          | deleteNote, restoreNote           | as saveNote |
 * | who is signed in                         | Get SESSION#, consistent        | getPerson, requirePerson          | 1 RU  |
 * | a session is in use (once an hour)       | Update SESSION#                 | getPerson, requirePerson          | 3 WU  |
 * | a session is renewed (once an hour)      | Update SESSION#, twice          | getPerson, requirePerson          | 6 WU  |
 * | a new session                            | Put SESSION#                    | createSession                     | 3 WU  |
 * | end a session                            | Delete SESSION#                 | endSession                        | 3 WU  |
 * | a person's sessions                      | Query SESSION#, consistent      | listSessions                      | 1 RU a session |
 * | end a person's sessions                  | Query, then Delete SESSION#     | endAllSessions                    | 1 RU, 3 WU a session |
 * | count a try by address, by IP            | Update THROTTLE#, twice         | throttle                          | 2 WU  |
 * | a sign-in between two pages              | Put CHALLENGE#                  | signInPerson                      | 2 WU  |
 * | whether that sign-in still waits         | Get CHALLENGE#, consistent      | awaitsFirstPassword               | 1 RU  |
 * | a first password ends it                 | Get, then Delete CHALLENGE#     | chooseFirstPassword               | 1 RU, 2 WU |
 * | what was used today, before a send        | Get USAGE#, consistent          | usageStore.getDay                 | 1 RU  |
 * | the stage's day and the switch           | Query STAGE#USAGE, consistent   | usageStore.getStage               | 1 RU a 4 KB |
 * | whether the models are switched off      | Get STAGE#USAGE SWITCH          | usageStore.isOff                  | 0.5 RU |
 * | reserve tokens, or more of them          | Update USAGE#                   | usageStore.reserve, usageStore.extend | 1 WU a KB |
 * | tokens of the stage for a person         | Update STAGE#USAGE, then USAGE# | usageStore.grant, usageStore.arrive | 1 WU a KB, twice |
 * | settle what an answer took               | Get, then Update USAGE#         | usageStore.settle                 | 1 RU, 1 WU a KB |
 * | a person's usage by day                  | Query USAGE#                    | usageStore.list                   | 0.5 RU a 4 KB |
 * | what a person prefers, and begins with   | Get ACCOUNT, consistent         | getPreferences, getDefaults       | 1 RU a 4 KB |
 * | change of preferences                    | Get, then Update ACCOUNT        | changePreferences                 | 1 RU a 4 KB, 1 WU a KB |
 * | whether an account is being deleted      | Get ACCOUNT, consistent         | isAccountDeleted                  | 1 RU  |
 * | mark an account as deleted               | Update ACCOUNT                  | markAccountDeleted                | 1 WU  |
 * | delete an account                        | Get ACTIVITY; Query, then BatchWrite, by key | deleteAccount        | 1 RU a 4 KB, 1 WU a KB |
 */

const padded = (value: number): string => String(value).padStart(9, "0");

export interface Key {
  pk: string;
  sk: string;
}

/** Partition of all that one person owns, save for the insides of threads. */
export const personPartition = (userId: string): string => `USER#${userId}`;
/** Partition of what counts for the whole stage. Holds nobody's data. */
export const stagePartition = "STAGE#USAGE";
/** Partition of the insides of one thread: its messages, its run, the run's chunks, its note numbers. */
export const threadPartition = (userId: string, threadId: string): string => `USER#${userId}#THREAD#${threadId}`;

export const prefixes = {
  session: "SESSION#",
  note: "NOTE#",
  noteIndex: "NOTEINDEX",
  thread: "THREAD#",
  message: "MESSAGE#",
  chunk: "CHUNK#",
  usage: "USAGE#",
} as const;

export const keys = {
  account: (userId: string): Key => ({ pk: personPartition(userId), sk: "ACCOUNT" }),
  /** `hash` is the hex SHA-256 of the session's token: the token itself is never stored. */
  session: (userId: string, hash: string): Key => ({ pk: personPartition(userId), sk: `SESSION#${hash}` }),
  note: (userId: string, noteId: string): Key => ({ pk: personPartition(userId), sk: `NOTE#${noteId}` }),
  /** What notes are ranked by; a long one goes on in further parts of the same `generation`. */
  noteIndex: (userId: string): Key => ({ pk: personPartition(userId), sk: "NOTEINDEX" }),
  noteIndexPart: (userId: string, generation: string, part: number): Key => ({
    pk: personPartition(userId),
    sk: `NOTEINDEX#${generation}#${padded(part)}`,
  }),
  thread: (userId: string, threadId: string): Key => ({ pk: personPartition(userId), sk: `THREAD#${threadId}` }),
  activity: (userId: string): Key => ({ pk: personPartition(userId), sk: "ACTIVITY" }),
  usage: (userId: string, day: string): Key => ({ pk: personPartition(userId), sk: `USAGE#${day}` }),
  /** What of the stage's budget was given to whom on one UTC day, by a hash that nobody can turn back. */
  stageUsage: (day: string): Key => ({ pk: stagePartition, sk: day }),
  /** The operator's switch: while it says `off`, no model is called. */
  stageSwitch: (): Key => ({ pk: stagePartition, sk: "SWITCH" }),
  message: (userId: string, threadId: string, messageId: string): Key => ({
    pk: threadPartition(userId, threadId),
    sk: `MESSAGE#${messageId}`,
  }),
  run: (userId: string, threadId: string): Key => ({ pk: threadPartition(userId, threadId), sk: "RUN" }),
  /** `from` counts UTF-16 units of the answer's text before this chunk. */
  chunk: (userId: string, threadId: string, claimId: string, from: number): Key => ({
    pk: threadPartition(userId, threadId),
    sk: `CHUNK#${claimId}#${padded(from)}`,
  }),
  /** A piece of a run's reasoning: `from` counts its UTF-16 units before this one. Sorts after all chunks of text. */
  thought: (userId: string, threadId: string, claimId: string, from: number): Key => ({
    pk: threadPartition(userId, threadId),
    sk: `CHUNK#${claimId}#thought#${padded(from)}`,
  }),
  /** What a run without a new question was given (settings, notes). Sorts after all numbered chunks. */
  context: (userId: string, threadId: string, claimId: string): Key => ({
    pk: threadPartition(userId, threadId),
    sk: `CHUNK#${claimId}#context`,
  }),
  numbers: (userId: string, threadId: string): Key => ({ pk: threadPartition(userId, threadId), sk: "NUMBERS" }),
  /** `hash` hides the address or IP that is counted; `start` is the window's first second, since the epoch. */
  throttle: (kind: string, hash: string, start: number): Key => ({
    pk: `THROTTLE#${kind}#${hash}`,
    sk: `WINDOW#${start}`,
  }),
  /** A sign-in between two pages (first password), by the hash of its random token. */
  challenge: (hash: string): Key => ({ pk: `CHALLENGE#${hash}`, sk: "CHALLENGE" }),
} as const;

/** Values of the index `byActivity`: lists read one prefix backwards. `time` is in milliseconds since the epoch. */
export const activityAt = {
  thread: (pinned: boolean, time: number): string => `THREAD#${pinned ? 1 : 0}#${new Date(time).toISOString()}`,
  note: (pinned: boolean, time: number): string => `NOTE#${pinned ? 1 : 0}#${new Date(time).toISOString()}`,
  deleted: (time: number): string => `DELETED#${new Date(time).toISOString()}`,
} as const;
