import { request as httpRequest, type RequestOptions } from 'node:http'
import { err, ok, type Result, type Secret } from '../../kernel/index.ts'

/** Where the signer listens: this machine only. */
export type SignerAddress =
  | { readonly host: '127.0.0.1' | '::1' | 'localhost'; readonly port: number }
  | { readonly socket: string }

export interface ExchangeSettings {
  readonly address: SignerAddress
  readonly token: Secret<string>
  /** Milliseconds from the call to the last byte of the answer. */
  readonly timeoutMs: number
}
export interface HttpAnswer {
  readonly status: number
  readonly body: Uint8Array
}

/** A PSBT as large as the signer takes, as base64 and with signatures. */
const MAX_ANSWER = 48 * 1024 * 1024

const placeOf = (address: SignerAddress): RequestOptions =>
  'socket' in address ? { socketPath: address.socket } : { host: address.host, port: address.port }

/** One request on a connection of its own: a kept-alive one could be closed under it. The error is a word for logs. */
export function exchange(
  { address, token, timeoutMs }: ExchangeSettings,
  method: 'GET' | 'POST',
  path: string,
  body = '',
): Promise<Result<HttpAnswer, string>> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs)
    const options: RequestOptions = {
      ...placeOf(address),
      method,
      path,
      agent: false,
      signal,
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        accept: 'application/json',
        ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
        'content-length': Buffer.byteLength(body),
      },
    }
    const fail = (error: NodeJS.ErrnoException) =>
      resolve(err(signal.aborted ? 'timeout' : (error.code ?? 'broken').toLowerCase()))
    const request = httpRequest(options, (response) => {
      const parts: Buffer[] = []
      let length = 0
      response.on('data', (part: Buffer) => {
        length += part.length
        if (length > MAX_ANSWER)
          request.destroy(Object.assign(new TypeError('too large'), { code: 'TOO_LARGE' }))
        else parts.push(part)
      })
      response.on('error', fail)
      response.on('end', () => {
        if (!response.complete) return resolve(err('cut'))
        resolve(ok({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }))
      })
    })
    request.on('error', fail)
    request.end(body)
  })
}
