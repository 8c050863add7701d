/** What an operator or a caller has to change; the message is for people and holds no secret. */
export class SignerFailure extends Error {
  override readonly name = 'SignerFailure'
}

/** A bug of this program. */
export class SignerBug extends Error {
  override readonly name = 'SignerBug'
}

/** @throws SignerBug unless the condition holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new SignerBug(message)
}
