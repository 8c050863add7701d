/** What one step of the comparison saw on both sides. */
export interface Observation {
  readonly step: 'policy' | 'send' | 'package' | 'block' | 'order' | 'tie' | 'mempool'
  /** `accepted`, or why not. */
  readonly devnet: string
  readonly other: string
  /** What the generator did to the transaction or block. */
  readonly notes: readonly string[]
}
/** A difference that is known, wanted or not ours, and why. Anything else fails the run. */
export interface NamedDifference {
  readonly name: string
  readonly node: 'btcd' | 'core'
  readonly why: string
  readonly matches: (seen: Observation) => boolean
}
const refusedThere = ({ step, devnet, other }: Observation, reason: RegExp): boolean =>
  (step === 'policy' || step === 'send') && devnet === 'accepted' && reason.test(other)
const refusedHere = ({ step, devnet, other }: Observation, reason: RegExp): boolean =>
  step === 'policy' && reason.test(devnet) && other === 'accepted'
/** The recorded node, which fixtures hold a devnet to, tells more about dust than 28.1 does. */
const DUST_DETAIL = /dust, tx with dust output must be 0-fee/g

export const DIFFERENCES: readonly NamedDifference[] = [
  {
    name: 'the text about dust',
    node: 'core',
    why: 'the recorded answers of a newer build say `dust, tx with dust output must be 0-fee`, and a devnet says so too; 28.1 says `dust`',
    matches: ({ devnet, other }) => devnet.replace(DUST_DETAIL, 'dust') === other,
  },
  {
    name: 'a child of a refused block',
    node: 'btcd',
    why: 'btcd forgets a refused block at once and keeps its child as an orphan; a devnet remembers it and says bad-prevblk, as Core does',
    matches: ({ step, devnet, other }) =>
      step === 'block' && /^bad-prevblk$|^prev-blk-not-found$/.test(devnet) && other === 'accepted',
  },
  {
    name: 'a refused block again',
    node: 'btcd',
    why: 'btcd says that it has a block which it once stored and then found invalid; a devnet says duplicate-invalid, as Core does',
    matches: ({ step, devnet, other }) =>
      step === 'block' && devnet === 'duplicate-invalid' && other === 'duplicate',
  },
  {
    name: 'replacement without a signal',
    node: 'btcd',
    why: 'btcd replaces only what signals by BIP 125; Core 28 replaces everything that pays enough',
    matches: (seen) => refusedThere(seen, /output already spent in mempool/),
  },
  {
    name: 'what a replacement pays',
    node: 'btcd',
    why: 'btcd measures sizes without signature operations and rounds rates; Core counts 5 vbytes for a unit of their cost, which lowers the rate and raises what the replacement owes',
    matches: (seen) =>
      refusedHere(seen, /^insufficient fee$/) ||
      refusedThere(seen, /insufficient (fee rate|absolute fee)/),
  },
  {
    name: 'the highest fee rate at its edge',
    node: 'btcd',
    why: 'btcd measures the rate without signature operations: what they make larger, and so cheaper, to Core is too dear to btcd',
    matches: (seen) => refusedThere(seen, /^max-fee-exceeded$/),
  },
  {
    name: 'forms of outputs',
    node: 'btcd',
    why: 'btcd knows neither pay-to-anchor nor witness programs of the future as standard outputs',
    matches: (seen) => refusedThere(seen, /non-standard script form/),
  },
  {
    name: 'annex',
    node: 'btcd',
    why: 'btcd relays taproot spends with an annex and witnesses of any size; Core does not',
    matches: (seen) => refusedHere(seen, /^bad-witness-nonstandard$/),
  },
  {
    name: 'signature in the script code',
    node: 'btcd',
    why: 'btcd has no CONST_SCRIPTCODE: it relays OP_CODESEPARATOR and found signatures in old scripts',
    matches: (seen) =>
      refusedHere(seen, /Signature is found in scriptCode|OP_CODESEPARATOR in non-witness/),
  },
  {
    name: 'among branches',
    node: 'btcd',
    why: 'after an order of the operator, and where a block came before its parent, btcd looks at one tip only and may stay on a branch of no more work; a devnet goes to the most work, and among equals to the first, as Core does; the next block brings them together',
    matches: ({ step, other }) => step === 'tie' && other === 'no more work',
  },
  {
    name: 'an order of the operator that meets an invalid branch',
    node: 'btcd',
    why: 'invalidateblock of btcd answers with an error when the next best branch breaks a rule; a devnet tries the one after it, as Core does',
    matches: ({ step, devnet, other }) =>
      step === 'order' && devnet === 'null' && other.startsWith('error'),
  },
  {
    name: 'mempool after a reorganisation',
    node: 'btcd',
    why: 'btcd tries the transactions of a removed block at once, newest block first, and keeps what has become immature or locked',
    matches: ({ step, notes }) =>
      step === 'mempool' &&
      notes.some((note) => /branch|invalidateblock|reconsiderblock/.test(note)),
  },
  {
    name: 'free transactions',
    node: 'btcd',
    why: 'btcd relays small transactions below the relay fee while their coins are old, rounds the fee down and does not count signature operations; Core 28 does otherwise',
    matches: (seen) => refusedHere(seen, /^min relay fee not met$/),
  },
  {
    name: 'what a soft fork may use one day',
    node: 'btcd',
    why: 'btcd relays spends by unknown kinds of keys in tapscript; Core leaves them to blocks',
    matches: (seen) => refusedHere(seen, /Public key version reserved for soft-fork upgrades/),
  },
  {
    name: 'signature operations',
    node: 'btcd',
    why: 'btcd limits the signature operations of single inputs; Core limits the cost of the whole transaction',
    matches: (seen) => refusedHere(seen, /^bad-txns-too-many-sigops$/),
  },
  {
    name: 'version 3',
    node: 'btcd',
    why: 'btcd relays versions 1 and 2 only; Core 28 relays 3 under the rules of BIP 431',
    matches: (seen) => refusedThere(seen, /transaction version 3 is not in the valid range/),
  },
]

export function nameOf(node: NamedDifference['node'], seen: Observation): string | undefined {
  return DIFFERENCES.find((each) => each.node === node && each.matches(seen))?.name
}
