import { base64 } from '@scure/base'
import type {
  Signer,
  SignerRefusalCode,
  SignerRefused,
  SigningAnswer,
} from '../../capabilities/signing/index.ts'
import { EngineError, type Secret } from '../../kernel/index.ts'
import {
  formatJson,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  jsonInteger,
  parseJson,
} from '../../protocol/json/index.ts'
import { exchange, type ExchangeSettings, type HttpAnswer, type SignerAddress } from './exchange.ts'

export type { SignerAddress } from './exchange.ts'

export interface HttpSignerOptions {
  /** Stands in sessions, audit and metrics. */
  readonly name: string
  readonly address: SignerAddress
  readonly token: Secret<string>
  /** Milliseconds for a whole call; default 60,000. A large batch takes seconds to check and sign. */
  readonly timeoutMs?: number
}
/** A wallet that the signer would sign for. */
export interface SignerWallet {
  readonly name: string
  readonly descriptor: string
  /** How many of its keys are there. */
  readonly keys: number
  /** Satoshis that left in the last 24 hours, and that may. */
  readonly daySat: number
  readonly maxDaySat: number
}
export interface HttpSigner extends Signer {
  /** @throws EngineError `SIGNER_UNREACHABLE` when no answer that can be read comes. */
  wallets(): Promise<readonly SignerWallet[]>
}

const TIMEOUT = 60_000

/** A `Signer` for the process `kaccy-signer`. */
export function createHttpSigner({
  name,
  address,
  token,
  timeoutMs = TIMEOUT,
}: HttpSignerOptions): HttpSigner {
  const settings: ExchangeSettings = { address, token, timeoutMs }
  return {
    name,
    async sign({ bytes, receipt }) {
      const body = formatJson({ psbt: base64.encode(bytes), receipt })
      const answer = await exchange(settings, 'POST', '/v1/sign', body)
      return answer.ok ? readAnswer(answer.value) : unknown(answer.error)
    },
    async wallets() {
      const answer = await exchange(settings, 'GET', '/v1/wallets')
      const wallets = answer.ok ? readWallets(answer.value) : undefined
      if (wallets) return wallets
      throw new EngineError('SIGNER_UNREACHABLE', `the signer ${name} does not say its wallets`, {
        details: { reason: answer.ok ? `status ${answer.value.status}` : answer.error },
      })
    },
  }
}

const unknown = (reason: string): SigningAnswer => ({ answer: 'unknown', reason })

const objectOf = (body: Uint8Array): JsonObject | undefined => {
  const parsed = parseJson(body, 8)
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined
}

/** What a refusal is for the engine; undefined for what could hide a signature. */
function codeOf(status: number, code: string, reason: string): SignerRefusalCode | undefined {
  if (status === 422 && code === 'REFUSED') {
    return reason === 'wallet_unknown' ? 'SIGNER_MISCONFIGURED' : 'SIGNER_REFUSED'
  }
  if (status === 503 && code === 'NOT_READY') return 'SIGNER_NOT_READY'
  return [400, 401, 404, 405, 413].includes(status) ? 'SIGNER_MISCONFIGURED' : undefined
}

function readAnswer({ status, body }: HttpAnswer): SigningAnswer {
  const answer = objectOf(body)
  if (!answer) return unknown(`status ${status} without JSON`)
  if (status === 200) {
    const bytes = decode(answer['psbt'])
    return bytes ? { answer: 'signed', bytes } : unknown('status 200 without a PSBT')
  }
  const { code, reason, detail } = answer as JsonObject &
    Partial<Record<keyof SignerRefused, string>>
  if (typeof code !== 'string' || typeof reason !== 'string' || typeof detail !== 'string') {
    return unknown(`status ${status} without a reason`)
  }
  const found = codeOf(status, code, reason)
  return found ? { answer: 'refused', code: found, reason, detail } : unknown(`status ${status}`)
}

function decode(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string' || value.length === 0) return undefined
  try {
    return base64.decode(value)
  } catch {
    return undefined // not base64
  }
}

function readWallets({ status, body }: HttpAnswer): readonly SignerWallet[] | undefined {
  const list = status === 200 ? objectOf(body)?.['data'] : undefined
  if (!isJsonArray(list)) return undefined
  const wallets = list.flatMap((item) => {
    if (!isJsonObject(item)) return []
    const { name, descriptor } = item as JsonObject & { name?: unknown; descriptor?: unknown }
    const [keys, daySat, maxDaySat] = ['keys', 'day_sat', 'max_day_sat'].map((member) =>
      jsonInteger(item[member]),
    )
    if (typeof name !== 'string' || typeof descriptor !== 'string') return []
    if (keys === undefined || daySat === undefined || maxDaySat === undefined) return []
    return [{ name, descriptor, keys, daySat, maxDaySat }]
  })
  return wallets.length === list.length ? wallets : undefined
}
