import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { assert, toHex, type Txid } from '@kaccy/bitcoin/kernel'
import { decodeTransaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import { HDKey } from '@scure/bip32'
import { mnemonicToSeedSync } from '@scure/bip39'
import { Transaction } from '@scure/btc-signer'
import { signWith } from '../../test/payouts/soft-signer.ts'

const TPUB = { private: 0x04358394, public: 0x043587cf }
/** Published test words (BIP 39): their coins exist on test chains only. */
const WORDS = [
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
  'legal winner thank year wave sausage worth useful legal winner thank yellow',
]
const ROOTS = WORDS.map((words) => HDKey.fromMasterSeed(mnemonicToSeedSync(words), TPUB))
const PATH = '48h/1h/0h/2h'

/** Two of two keys, so that a transaction is half signed for a while. Without its checksum. */
export function twoOfTwo(): string {
  const keys = ROOTS.map((root) => {
    const fingerprint = root.fingerprint.toString(16).padStart(8, '0')
    const account = root.derive(`m/${PATH.replaceAll('h', "'")}`)
    return `[${fingerprint}/${PATH}]${account.publicExtendedKey}/<0;1>/*`
  })
  return `wsh(sortedmulti(2,${keys.join(',')}))`
}

/** One transaction that a signer was shown, and what was signed of it. */
interface Shown {
  readonly txid: Txid
  readonly signed: Map<number, Uint8Array>
}

/**
 * The signers, in a process that survives: they remember every signature that ever left them, also one that whoever asked
 * for it never heard of.
 */
export class Signers {
  readonly #server: Server
  readonly #shown = new Map<string, Shown>()
  #url = ''

  private constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const signed = this.#sign(Number(request.url?.slice(1)), Buffer.concat(parts))
        response.writeHead(signed ? 200 : 403).end(signed)
      })
    })
  }
  static async listen(): Promise<Signers> {
    const signers = new Signers()
    signers.#server.listen(0, '127.0.0.1')
    await once(signers.#server, 'listening')
    signers.#url = `http://127.0.0.1:${(signers.#server.address() as AddressInfo).port}`
    return signers
  }
  get url(): string {
    return this.#url
  }
  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
  #sign(who: number, psbt: Uint8Array): Uint8Array | undefined {
    const root = ROOTS[who]
    const signed = root && signWith(root, psbt)
    if (!signed) return undefined
    const unsigned = Transaction.fromPSBT(psbt, { allowUnknownOutputs: true }).unsignedTx
    const key = toHex(unsigned)
    const shown = this.#shown.get(key) ?? { txid: idOf(unsigned), signed: new Map() }
    this.#shown.set(key, shown)
    shown.signed.set(who, signed)
    return signed
  }
  /** Every transaction that a signer ever signed. */
  get shown(): readonly Txid[] {
    return [...this.#shown.values()].map(({ txid }) => txid)
  }
  /** Every transaction that could be sent by whoever has all that the signers gave out. */
  complete(): readonly { readonly txid: Txid; readonly raw: string }[] {
    const whole = [...this.#shown.values()].filter(({ signed }) => signed.size === ROOTS.length)
    return whole.map(({ txid, signed }) => {
      const [first, ...others] = [...signed.values()].map((psbt) =>
        Transaction.fromPSBT(psbt, { allowUnknownOutputs: true }),
      )
      assert(first, 'signed by somebody')
      for (const other of others) first.combine(other)
      first.finalize()
      return { txid, raw: toHex(first.extract()) }
    })
  }
}
function idOf(raw: Uint8Array): Txid {
  const decoded = decodeTransaction(raw)
  assert(decoded.ok, 'an unsigned transaction')
  return txidOf(decoded.value)
}
