import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { type ErrorCode, refuse } from '@kaccy/bitcoin/kernel'
import { PROBLEM_TYPE, problemOf, RefusedError } from './problem.ts'

/** A problem for a request that never got as far as a route: HTTP of its own, as the bytes on the connection. */
export function rawProblem(
  code: ErrorCode,
  message: string,
  requestId: string,
  { headers, docs }: { readonly headers: Readonly<Record<string, string>>; readonly docs: string },
): { readonly status: number; readonly text: string; readonly body: string } {
  const problem = problemOf(new RefusedError(refuse(code, message).error), requestId, docs)
  const body = JSON.stringify(problem)
  const lines = Object.entries({
    ...headers,
    'x-request-id': requestId,
    'content-type': PROBLEM_TYPE,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  const { status } = problem
  const start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  return { status, body, text: `${start}${lines.join('')}\r\n${body}` }
}

type ParseFailure = readonly [code: ErrorCode, message: string]

/** What Node's HTTP parser says, in our codes. */
const PARSER: Readonly<Record<string, ParseFailure>> = {
  HPE_HEADER_OVERFLOW: [
    'HEADERS_TOO_LARGE',
    'address line and headers are larger than 16 KiB together',
  ],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['REQUEST_MALFORMED', 'the chunk extensions are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'the request did not arrive in time'],
}

export const parseFailureOf = (code: string | undefined): ParseFailure =>
  PARSER[code ?? ''] ?? ['REQUEST_MALFORMED', 'this is not an HTTP request that can be read']

type Answering = Socket & { readonly _httpMessage?: { readonly _headerSent?: boolean } | null }

/** Answers on a connection whose request could not be read, unless an answer has begun there, and closes it. */
export function answerAndClose(socket: Answering, text: string): void {
  // The same look that Node's own handler takes.
  if (socket.writable && socket._httpMessage?._headerSent !== true) socket.end(text)
  else socket.destroy()
  // A peer that does not close its own side must not keep the connection.
  socket.setTimeout(1_000, () => socket.destroy())
}
