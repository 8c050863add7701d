import type { SatPerKvB } from '../../kernel/index.ts'
import type { LookToken } from '../../protocol/last-look/index.ts'

/**
 * What to do after a refusal. `retry_same`: the same bytes may be taken later. `replace`: only a version that conflicts can get
 * in. `never`: no node will take them. `ask_human`. None of them ever frees a coin.
 */
export type SendVerdict = 'retry_same' | 'replace' | 'never' | 'ask_human'

/**
 * What came of handing bytes to a node. `unknown`: nobody knows; the same bytes are sent again, and nothing new is built.
 */
export type SendAnswer = Readonly<
  | { answer: 'accepted' | 'already_known' }
  | { answer: 'refused'; reason: string; verdict: SendVerdict }
  | { answer: 'unknown'; reason: string }
>

/**
 * Who hands transactions to the network. Obligations: it never rejects for what the world did (that is `unknown`); it ends
 * in bounded time; it sends nothing but the bytes of a token.
 */
export interface Broadcaster {
  /** @param maxRate the node refuses above this rate, satoshi per 1000 vbytes */
  send(token: LookToken, maxRate: SatPerKvB): Promise<SendAnswer>
  /**
   * Parents first, the child last. Undefined where the node has no such call. The answer is that of the child.
   */
  sendPackage?(tokens: readonly LookToken[]): Promise<SendAnswer | undefined>
}
