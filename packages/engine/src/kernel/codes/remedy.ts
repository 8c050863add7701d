/** Who can do something about it: the caller, time, or nobody (wake a human). */
export type Remedy = 'caller' | 'retry' | 'human'
/** What stands about a code in the registry. `docs/errors.md` has a section for each. */
export type CodeEntry = Readonly<{ remedy: Remedy; title: string }>
