import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Devnet, RpcError } from '@kaccy/devnet'
import type { TestNode } from '../../test/counterparts/node.ts'

export type Answer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string } }
export type Call = readonly [method: string, params: readonly unknown[]]
/** One side of the comparison. Amounts come as bigint satoshi. */
export interface Side {
  readonly name: string
  call(method: string, params?: readonly unknown[]): Promise<Answer>
  batch(calls: readonly Call[]): Promise<readonly Answer[]>
}

export function devnetSide(devnet: Devnet): Side {
  const call = async (method: string, params: readonly unknown[] = []): Promise<Answer> => {
    try {
      return { result: devnet.call(method, params) }
    } catch (fault) {
      if (!(fault instanceof RpcError)) throw fault
      return { error: { code: fault.code, message: fault.message } }
    }
  }
  return {
    name: 'devnet',
    call,
    batch: (calls) => Promise.all(calls.map(([method, params]) => call(method, params))),
  }
}

/** Satoshi of a decimal as it stands in the answer, also with an exponent as Go writes it; never through a double. */
export function satoshiOf(text: string): bigint {
  const [mantissa = '0', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '0', decimals = ''] = mantissa.split('.')
  const shift = 8 + Number(exponent) - decimals.length
  const digits = BigInt(whole + decimals)
  return shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift)
}
const AMOUNTS = new Set([
  'value',
  'fee',
  'base',
  'modified',
  'ancestor',
  'descendant',
  'effective-feerate',
])
/** The reviver's third argument is newer than the type library. */
const parse = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown
const parseAnswer = (text: string): unknown =>
  parse(text, (key, value, { source }) =>
    typeof value === 'number' && source !== undefined && AMOUNTS.has(key)
      ? satoshiOf(source)
      : value,
  )

interface Raw {
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string } | null
  readonly id: number
}
const answerOf = ({ result, error }: Raw): Answer =>
  error ? { error } : { result: result ?? null }

/** A client of its own over a running node: a batch is one request. */
export async function nodeSide(node: TestNode): Promise<Side> {
  const { url, auth, tls } = node.source
  const address = new URL(String(url))
  const secure = address.protocol === 'https:'
  const send = (body: string, credentials: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        auth: credentials,
        timeout: 120_000,
        ...(secure && tls?.ca !== undefined ? { ca: tls.ca } : {}),
      }
      const outgoing = (secure ? httpsRequest : httpRequest)(address, options, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
        incoming.on('error', reject)
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  const ask = async (body: unknown): Promise<unknown> => {
    const text = await send(JSON.stringify(body), await credentialsOf(auth))
    return parseAnswer(text)
  }
  return {
    name: node.name,
    call: async (method, params = []) =>
      answerOf((await ask({ jsonrpc: '1.0', id: 1, method, params })) as Raw),
    batch: async (calls) => {
      if (calls.length === 0) return []
      const bodies = calls.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }))
      const answers = (await ask(bodies)) as Raw[]
      const byId = new Map(answers.map((each) => [each.id, each]))
      return calls.map((_, id) => answerOf(byId.get(id) ?? { id, result: null }))
    },
  }
}
async function credentialsOf(auth: TestNode['source']['auth']): Promise<string> {
  if (auth && 'cookieFile' in auth) return (await readFile(String(auth.cookieFile), 'utf8')).trim()
  if (auth && 'user' in auth) return `${auth.user}:${auth.password.reveal()}`
  throw new TypeError('this node says no way to log in')
}
