import type { RestReply } from '../rpc/server.ts'

/** A refusal: status and text as Core writes them, without the line end. */
export class RestFault extends Error {
  override readonly name = 'RestFault'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}
export type Format = 'bin' | 'hex' | 'json'
export interface Path {
  /** What follows the prefix, without format and query. */
  readonly name: string
  /** Undefined when the end names no format; it then stays in the name. */
  readonly format: Format | undefined
  /** @throws RestFault 400 when the query cannot be read. */
  readonly query: (name: string) => string | undefined
}
const FORMATS: ReadonlySet<string> = new Set(['bin', 'hex', 'json'])

export function readPath(rest: string): Path {
  const mark = rest.lastIndexOf('?')
  const path = mark < 0 ? rest : rest.slice(0, mark)
  const point = path.lastIndexOf('.')
  const suffix = path.slice(point + 1)
  const known = point >= 0 && FORMATS.has(suffix)
  return {
    name: known ? path.slice(0, point) : path,
    format: known ? (suffix as Format) : undefined,
    query: (name) => readQuery(rest, name),
  }
}
function readQuery(rest: string, name: string): string | undefined {
  const mark = rest.indexOf('?')
  if (mark < 0) return undefined
  const query = rest.slice(mark + 1)
  if (/%(?![0-9a-fA-F]{2})/.test(query)) {
    const hint = 'URI parsing failed, it likely contained RFC 3986 invalid characters'
    throw new RestFault(400, hint)
  }
  for (const part of query.split('&')) {
    const [key, ...value] = part.split('=')
    if (key === name) return decodeURIComponent(value.join('='))
  }
  return undefined
}

/** @throws RestFault 400 unless 64 hex digits. */
export function hashIn(text: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(text)) return text.toLowerCase()
  throw new RestFault(400, `Invalid hash: ${text}`)
}
const MAX_COUNT = 2000
export function readCount(text: string): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= MAX_COUNT) return count
  const range = `Header count is invalid or out of acceptable range (1-${MAX_COUNT})`
  throw new RestFault(400, `${range}: ${text}`)
}
export const rejectFormat = (): RestFault =>
  new RestFault(404, 'output format not found (available: .bin, .hex, .json)')
export function wantJson({ format }: Path): void {
  if (format !== 'json') throw new RestFault(404, 'output format not found (available: json)')
}
export const binaryReply = (body: Uint8Array): RestReply => ({
  status: 200,
  contentType: 'application/octet-stream',
  body,
})
export const textReply = (body: string): RestReply => ({
  status: 200,
  contentType: 'text/plain',
  body,
})
