import { AssertionError } from '../../kernel/index.ts'

/** One transaction: what has to be undone when it fails, and whether it may still be used. */
export interface Session {
  /** Registers how a write that is about to happen is undone. @throws AssertionError in `read`. */
  undoable(undo: () => void): void
  /** @throws AssertionError in `read`: locking is for writers. */
  requireWriter(): void
}

export interface OpenSession extends Session {
  /** @throws AssertionError when the transaction is over. */
  check(): void
  /** A row door threw: the transaction can no longer commit, as on PostgreSQL. */
  doom(cause: unknown): void
  /** @throws what doomed it. */
  requireSound(): void
  rollback(): void
  end(): void
}

export function openSession(mode: 'read' | 'write'): OpenSession {
  const undo: (() => void)[] = []
  let over = false
  let doomed: { readonly cause: unknown } | undefined
  const requireWriter = () => {
    if (mode === 'read') throw new AssertionError('a read transaction cannot write or lock')
  }
  return {
    requireWriter,
    undoable(step) {
      requireWriter()
      undo.push(step)
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
    rollback() {
      for (let step = undo.pop(); step; step = undo.pop()) step()
    },
    end() {
      over = true
      undo.length = 0
    },
  }
}
