const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** A value that no log, error or JSON shows. `reveal()` is the only way to it, and easy to search for. */
export class Secret<T> {
  readonly #value: T
  constructor(value: T) {
    this.#value = value
  }
  reveal(): T {
    return this.#value
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [INSPECT](): string {
    return '[secret]'
  }
}
