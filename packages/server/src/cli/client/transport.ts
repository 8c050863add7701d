/** One request, whichever way it travels. */
export interface Asked {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With its query: `/v1/orders?limit=20`. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Gives the request up, also in the middle of a long answer. */
  readonly signal?: AbortSignal
}
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The body as it comes; it has to be read or given up. */
  readonly body: AsyncIterable<Uint8Array>
}

/** How requests reach the routes. The commands above it do not know which one it is. */
export interface Transport {
  /** For messages: the address, or `in this process`. */
  readonly name: string
  /** @throws EngineError API_UNREACHABLE, API_CERTIFICATE_REFUSED, or what failed in this process itself */
  send(asked: Asked): Promise<Answered>
  close(): Promise<void>
}

/** The whole body as text. */
export async function textOf({ body }: Pick<Answered, 'body'>): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}
