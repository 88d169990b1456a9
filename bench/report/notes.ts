/** Of what is short of its reach: where the time goes, as profiles have shown it. */
export const NOTES: Readonly<Record<string, string>> = {}
