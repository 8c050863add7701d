/** Names a request, so that sending it again can be told from sending another one. */
export interface RequestKey {
  /** Whose key it is: two callers may use the same word. */
  readonly scope: string
  /** The caller's own word, as in the header `Idempotency-Key`. */
  readonly key: string
  /** SHA-256 over method, path and body, 64 hex digits. */
  readonly digest: string
  /** Money moved: the answer is never forgotten, however old it is. */
  readonly isForEver?: boolean
}

/** The first answer, word for word. */
export interface KeptAnswer {
  /** As in HTTP. */
  readonly status: number
  readonly body: string
  /** Milliseconds since the epoch; `FOR_EVER` for one that no pruning may reach. */
  readonly at: number
}

/** Hands a verb the name of its request: what it makes and the answer to it are committed together, or neither. */
export interface Once<T> {
  readonly request: RequestKey
  /** Called inside the transaction, perhaps more than once: without outside effect. What it answers is stored, so no secrets. */
  readonly answer: (made: T) => Pick<KeptAnswer, 'status' | 'body'>
}

export interface AnswerRecord extends RequestKey, KeptAnswer {}

/** Rows of this capability. */
export interface IdempotencyRows {
  /** The answers that stand under these names; the digest is not looked at. */
  answers(names: readonly Pick<RequestKey, 'scope' | 'key'>[]): Promise<readonly AnswerRecord[]>
  /** @throws EngineError STORE_CONFLICT when one of these names has an answer */
  insert(answers: readonly AnswerRecord[]): Promise<void>
  /** Removes at most `limit` of the oldest answers from before `before`; answers how many. */
  prune(before: number, limit: number): Promise<number>
}
