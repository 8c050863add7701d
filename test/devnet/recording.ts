import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Devnet } from '@kaccy/devnet'
import { expect } from 'vitest'

/** Where the recorded answers of a Bitcoin Core 28.1 node lie. */
export const folder = join(
  process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared'),
  'fixtures/core-rpc',
)

export interface Recording {
  readonly name: string
  readonly path: string
  readonly request?: unknown
  readonly requestBody?: string
  readonly status: number
  readonly contentType: string
  readonly responseText: string
}
export const recording = (name: string): Recording =>
  JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Recording

export interface Answer {
  readonly status: number
  readonly contentType: string | undefined
  readonly text: string
}
/** One POST to the devnet, as a client of Core makes it. `credentials`: `user:password`. */
export function ask(
  devnet: Devnet,
  path: string,
  body: string,
  credentials: string,
): Promise<Answer> {
  const url = new URL(devnet.rpcUrl)
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: url.hostname,
        port: url.port,
        path,
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('end', () => {
          const text = Buffer.concat(parts).toString('utf8')
          const contentType = response.headers['content-type']
          resolve({ status: response.statusCode ?? 0, contentType, text })
        })
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}
/** JSON text with every value replaced by its kind; keys, their order and number formats stay. */
export function shape(text: string): string {
  const kept = /^"(type|address|desc|status|chain)":$/
  return text
    .replace(/"generated":(true|false)/g, '"generated":flag')
    .replace(
      /("(?:[^"\\]|\\.)*"\s*:)|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[-+]\d+)?/g,
      (token, key: string | undefined) => {
        if (key !== undefined) return kept.test(key) ? key : hashKey(key)
        if (token.startsWith('"')) return '"text"'
        if (/e/.test(token)) return 'double'
        return /^-?\d+\.\d{8}$/.test(token) ? 'amount' : /^-?\d+$/.test(token) ? 'whole' : 'double'
      },
    )
}
const hashKey = (key: string): string => (/^"[0-9a-f]{64}":$/.test(key) ? '"hash":' : key)
/** An error's text with hashes and numbers that belong to the chain taken out. */
export const errorText = (text: string): string =>
  text.replace(/[0-9a-f]{64}/g, 'HASH').replace(/depth \d+|\d+\.\d{8} BTC\/kvB|\d+ < \d+/g, 'N')

/** Compares an answer with its recording: status, content type, errors to the letter, results in shape and order of keys. */
export async function compareWith(
  recorded: Recording,
  make: () => Promise<Answer> | Answer,
): Promise<void> {
  const { name } = recorded
  const answer = await make()
  expect({ name, status: answer.status }).toEqual({ name, status: recorded.status })
  expect(answer.contentType).toBe(recorded.contentType)
  const isError = /^\{.*"error":\{/.test(recorded.responseText)
  if (isError) expect(errorText(answer.text)).toBe(errorText(recorded.responseText))
  else expect(shape(answer.text)).toBe(shape(recorded.responseText))
}
