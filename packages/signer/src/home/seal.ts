import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  scryptSync,
  timingSafeEqual,
} from 'node:crypto'
import { SignerFailure } from '../failure.ts'

/** scrypt's cost: 2^`logN` blocks of 1 KiB x `r`. 17 and 8 take 128 MiB and about half a second. */
export interface Cost {
  readonly logN: number
  readonly r: number
  readonly p: number
}
export const COST: Cost = { logN: 17, r: 8, p: 1 }
const LEAST_LOG_N = 14
const MOST_LOG_N = 22

/** Keys that come from one passphrase, each for one purpose. */
export interface Seal {
  /** AES-256-GCM; `label` is authenticated, so that a box cannot stand in for another. */
  close(secret: Uint8Array, label: string): string
  /** @throws SignerFailure when the box was changed or the passphrase is another one. */
  open(box: string, label: string): Uint8Array
  /** HMAC-SHA256, hex. */
  mark(text: string, purpose: 'registry' | 'journal'): string
  isMark(text: string, purpose: 'registry' | 'journal', mark: string): boolean
}

/** @throws SignerFailure for a cost outside what is safe and possible. */
export function createSeal(passphrase: string, salt: Uint8Array, { logN, r, p }: Cost): Seal {
  if (!(logN >= LEAST_LOG_N && logN <= MOST_LOG_N) || r !== 8 || p !== 1) {
    throw new SignerFailure('the cost of the passphrase is outside what is used here')
  }
  const N = 2 ** logN
  const master = scryptSync(passphrase.normalize('NFKD'), salt, 32, {
    N,
    r,
    p,
    maxmem: 256 * N * r,
  })
  const derive = (name: string) =>
    Buffer.from(hkdfSync('sha256', master, new Uint8Array(), `kaccy-signer ${name}`, 32))
  const boxKey = derive('keys')
  const markKeys = { registry: derive('registry'), journal: derive('journal') }
  const mark = (text: string, purpose: keyof typeof markKeys) =>
    createHmac('sha256', markKeys[purpose]).update(text).digest('hex')
  return {
    close(secret, label) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', boxKey, nonce).setAAD(Buffer.from(label))
      const body = Buffer.concat([cipher.update(secret), cipher.final()])
      return Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64')
    },
    open(box, label) {
      const bytes = Buffer.from(box, 'base64')
      const options = { authTagLength: 16 }
      const decipher = createDecipheriv('aes-256-gcm', boxKey, bytes.subarray(0, 12), options)
      try {
        decipher.setAAD(Buffer.from(label)).setAuthTag(bytes.subarray(-16))
        return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
      } catch {
        throw new SignerFailure('the passphrase is wrong, or the file of keys was changed')
      }
    },
    mark,
    isMark(text, purpose, given) {
      const [a, b] = [Buffer.from(mark(text, purpose)), Buffer.from(given)]
      return a.length === b.length && timingSafeEqual(a, b)
    },
  }
}
