import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { Secret, toHex } from '@kaccy/bitcoin/kernel'
import { createReceiptKey, type ReceiptKey, type Signer } from '@kaccy/bitcoin/signing'
import {
  createDesk,
  createHome,
  DEFAULT_LIMITS,
  type Desk,
  isNeededAt,
  openHome,
} from '@kaccy/signer'
import { readReceiptKey } from '../host/receipt-key.ts'
import { DEMO_WORDS } from './keys.ts'

/** The demo's signer: that of `packages/signer`, with its own checks, limits and journal, in this process for once. */
export interface DemoSigner {
  readonly receiptKey: ReceiptKey
  /** Who signs for the wallet with this descriptor. */
  signerFor(descriptor: string): Signer
  close(): void
}

const PASSPHRASE = 'the words of this wallet are published'
/** The passphrase stands here: slowing down who guesses it would slow down the reader alone. */
const COST = { logN: 14, r: 8, p: 1 } as const
const HOUR_MS = 60 * 60_000
const MOST_SAT = 1_000_000

export function openDemoSigner(folder: string): DemoSigner {
  const receiptKey = receiptKeyIn(join(folder, 'receipt.key'))
  const home = join(folder, 'signer')
  let opened: { readonly desk: Desk; close(): void } | undefined
  const deskFor = (descriptor: string): Desk => {
    opened ??= openDesk(home, receiptKey, descriptor)
    return opened.desk
  }
  return {
    receiptKey,
    signerFor: (descriptor) => ({
      name: 'demo',
      async sign({ bytes, receipt }) {
        const answer = deskFor(descriptor).sign(bytes, receipt)
        if (answer.answer === 'signed') return { answer: 'signed', bytes: answer.psbt }
        if (answer.answer === 'not_ready') return { answer: 'unknown', reason: answer.detail }
        const [first] = answer.faults
        return {
          answer: 'refused',
          code: 'SIGNER_REFUSED',
          reason: first?.reason ?? 'refused',
          detail: answer.faults.map(({ detail }) => detail).join('; '),
        }
      },
    }),
    close: () => opened?.close(),
  }
}

function openDesk(home: string, { publicKey }: ReceiptKey, descriptor: string) {
  const needed = isNeededAt(Date.now())
  if (!existsSync(home)) {
    const settings = {
      network: 'regtest',
      receipt_keys: [toHex(publicKey)],
      max_receipt_ms: HOUR_MS,
      listen: { host: '127.0.0.1', port: 0 },
      token_sha256: '0'.repeat(64),
      wallets: [],
    } as const
    createHome(home, PASSPHRASE, settings, COST)
  }
  const first = openHome(home, PASSPHRASE, needed)
  if (first.wallets.length > 0) return { desk: createDesk(first), close: () => first.close() }
  if (first.vault.fingerprints.length === 0) first.vault.add(DEMO_WORDS, '')
  const limits = { ...DEFAULT_LIMITS, max_transaction_sat: MOST_SAT, max_day_sat: MOST_SAT }
  first.save({ ...first.settings, wallets: [{ name: 'demo', descriptor, limits }] })
  first.close()
  // Settings count from the next opening on.
  const again = openHome(home, PASSPHRASE, needed)
  return { desk: createDesk(again), close: () => again.close() }
}

function receiptKeyIn(path: string): ReceiptKey {
  if (!existsSync(path)) {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, `${toHex(systemEntropy.bytes(32))}\n`, { mode: 0o600 })
  }
  return createReceiptKey(readReceiptKey(new Secret(readFileSync(path, 'utf8').trim())))
}
