import { AssertionError } from '../../kernel/index.ts'

/** One transaction as its row doors see it. */
export interface Session {
  /** @throws AssertionError in `read`: neither writing nor locking is for readers. */
  requireWriter(): void
}
export interface OpenSession extends Session {
  /** @throws AssertionError when the transaction is over. */
  check(): void
  /** A row door threw: the transaction can no longer commit, whatever `work` makes of the error. */
  doom(cause: unknown): void
  /** @throws what doomed it. */
  requireSound(): void
  end(): void
}

export function openSession(mode: 'read' | 'write'): OpenSession {
  let over = false
  let doomed: { readonly cause: unknown } | undefined
  return {
    requireWriter() {
      if (mode === 'read') throw new AssertionError('a read transaction cannot write or lock')
    },
    check() {
      if (over)
        throw new AssertionError('the transaction is over: a row door was used after its end')
    },
    doom(cause) {
      doomed ??= { cause }
    },
    requireSound() {
      if (doomed) throw doomed.cause
    },
    end() {
      over = true
    },
  }
}
