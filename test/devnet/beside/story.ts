import { ALICE, BOB, CAROL, NOBODY } from './keys.ts'
import type { Pair } from './pair.ts'

export interface Point {
  readonly txid: string
  readonly vout: number
}
type Outputs = readonly Readonly<Record<string, string | number>>[]
interface Signed {
  readonly hex: string
  readonly complete: boolean
}

/** What has happened on both nodes so far, to be asked about. */
export interface Story {
  readonly pair: Pair
  /** Where blocks pay to: Alice's P2WPKH. */
  readonly home: string
  /** Mature coins of hers that nothing has spent yet, 50 or 25 bitcoins each. */
  readonly coins: Point[]
  readonly txids: string[]
  readonly raws: string[]
  readonly blocks: string[]
  readonly addresses: string[]
  readonly descriptors: string[]
  readonly psbts: string[]
}

/** Every form of output that has a descriptor, once with keys that sign and once without. */
const FORMS: readonly ((a: string, b: string, c: string) => string)[] = [
  (a) => `wpkh(${a})`,
  (a) => `pkh(${a})`,
  (a) => `sh(wpkh(${a}))`,
  (a) => `tr(${a})`,
  (a, b, c) => `wsh(multi(2,${a},${b},${c}))`,
  (a, b) => `sh(multi(1,${a},${b}))`,
  (a, b, c) => `sh(wsh(sortedmulti(2,${a},${b},${c})))`,
  (a, b, c) => `tr(${NOBODY},{pk(${a}),multi_a(2,${b},${c})})`,
  (_, b) => `tr(${NOBODY},pk(${b}))`,
  (a) => `wsh(pk(${a}))`,
  (_, b) => `sh(pkh(${b}))`,
]
export const SPENDABLE = FORMS.map((form) => form(ALICE.wif, BOB.wif, CAROL.wif))

export async function beginStory(pair: Pair): Promise<Story> {
  const descriptors: string[] = []
  const addresses: string[] = []
  for (const form of FORMS) {
    const bare = form(ALICE.point, BOB.point, CAROL.point)
    const { descriptor } = await pair.ask<{ descriptor: string }>('getdescriptorinfo', [bare])
    const [address = ''] = await pair.ask<string[]>('deriveaddresses', [descriptor])
    descriptors.push(descriptor)
    addresses.push(address)
  }
  const home = addresses[0] ?? ''
  return {
    pair,
    home,
    coins: [],
    txids: [],
    raws: [],
    blocks: [],
    addresses,
    descriptors,
    psbts: [],
  }
}
export async function mine(
  story: Story,
  by: 'core' | 'devnet',
  count = 1,
): Promise<readonly string[]> {
  const { pair, home, blocks } = story
  const hashes = await pair.mine(by, count, home)
  blocks.push(...hashes)
  return hashes
}
/** Signed by Alice, Bob and Carol; remembered, not sent. */
export async function spend(
  story: Story,
  inputs: readonly (Point & { readonly sequence?: number })[],
  outputs: Outputs,
  more: readonly unknown[] = [],
): Promise<{ readonly txid: string; readonly hex: string }> {
  const { pair, txids, raws } = story
  const bare = await pair.ask<string>('createrawtransaction', [inputs, outputs, ...more])
  const keys = [ALICE.wif, BOB.wif, CAROL.wif]
  const { hex } = await pair.ask<Signed>('signrawtransactionwithkey', [bare, keys])
  const { txid } = await pair.ask<{ txid: string }>('decoderawtransaction', [hex])
  txids.push(txid)
  raws.push(hex)
  return { txid, hex }
}
export async function send(story: Story, hex: string): Promise<void> {
  await story.pair.ask('testmempoolaccept', [[hex], 0])
  await story.pair.ask('sendrawtransaction', [hex, 0, 21])
  await story.pair.settle()
}
export const take = (story: Story): Point => {
  const coin = story.coins.shift()
  if (!coin) throw new TypeError('the story has no coin left')
  return coin
}
/** A PSBT of these coins with everything that both know of them. */
export async function psbt(
  story: Story,
  inputs: readonly Point[],
  outputs: Outputs,
): Promise<string> {
  const { pair } = story
  const bare = await pair.ask<string>('createpsbt', [inputs, outputs])
  const full = await pair.ask<string>('utxoupdatepsbt', [bare, story.descriptors])
  story.psbts.push(bare, full)
  return full
}
