import { addressOf } from '@kaccy/bitcoin/protocol/address'
import { deriveScripts, parseDescriptor } from '@kaccy/bitcoin/protocol/descriptor'
import { HDKey } from '@scure/bip32'
import { p2wpkh } from '@scure/btc-signer'
import { type Report, rateLine, rates } from '../measure.ts'

export const name = 'derivation'

/** The account of the BIP 84 vectors. */
const XPUB =
  'xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V'

/** Indexes never repeat: nothing that was derived before may help. */
function fresh(batch: number): () => number {
  let next = 0
  return () => {
    next += batch
    return next - batch
  }
}

function addresses(batch: number): () => number {
  const parsed = parseDescriptor(`wpkh(${XPUB}/<0;1>/*)`)
  if (!parsed.ok) throw new TypeError(parsed.error.message)
  const start = fresh(batch)
  return () => {
    for (const script of deriveScripts(parsed.value, 0, start(), batch)) addressOf(script, 'main')
    return batch
  }
}

function peer(): () => number {
  const branch = HDKey.fromExtendedKey(XPUB).deriveChild(0)
  const start = fresh(20)
  return () => {
    const from = start()
    for (let i = from; i < from + 20; i++) {
      const { publicKey } = branch.deriveChild(i)
      if (publicKey) p2wpkh(publicKey)
    }
    return 20
  }
}

export async function run(report: Report): Promise<void> {
  const measured = await rates({ bulk: addresses(500), small: addresses(20), peer: peer() })
  const line = (what: string, value: number) =>
    report(
      rateLine(what, 'addresses/s', value, '@scure/bip32 + btc-signer one by one', measured.peer),
    )
  line('derive addresses, 500 at once', measured.bulk)
  line('derive addresses, 20 at once', measured.small)
}
