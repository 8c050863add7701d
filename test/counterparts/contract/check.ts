import type { Bench } from './bench.ts'

/** One promise of the port, held against a running node. A text says why it could not be checked there. */
export interface Check {
  readonly name: string
  run(bench: Bench): Promise<unknown>
}
