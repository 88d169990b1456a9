/** Of what is short of its reach: where the time goes, as profiles have shown it. What is reached needs none, and shows none. */
export const NOTES: Readonly<Record<string, string>> = {
  'pipe-sqlite':
    'two thirds of the processor time are spent in SQLite. Each message is claimed, marked, looked up among the held ones and settled by ' +
    'statements of its own, because each may fail by itself; the twin has one statement for each table of a batch.',
  'project-sqlite':
    'ours reads the events, checks and copies each row and looks for the rows that it may meet: 18 to 21 µs of processor time for an event ' +
    'beside 4 to 5 of the twin, which is handed its documents. A quarter of it is the writing itself, a fifth the log with its JSON, a tenth memory.',
  'project-postgres':
    'ours reads the events and asks for the rows that it may meet, a batch after the other: 15 to 22 µs of processor time for an event beside ' +
    '7 to 8 of the twin, which is handed its documents. A fifth of it goes to memory, an eighth to the socket.',
  'visible-servers':
    'an event gets its place in the log by a commit of its own before it is published. For each group that is stamped some twenty statements are ' +
    'run, three of them the claim of the relay, where the twin has three: it hands over in memory and gives no places.',
}
