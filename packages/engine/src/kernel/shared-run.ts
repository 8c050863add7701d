import { EngineError } from './error.ts'

interface Waiting<Input, Answer> {
  readonly input: Input
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/** Whether the work may have been committed although it failed: then running it again could do it twice. */
const mayHaveCommitted = (error: unknown): boolean =>
  error instanceof EngineError && error.code === 'STORE_UNAVAILABLE'

/**
 * Lets calls that wait at the same moment share one run of `work`, so that they share its lock, its statements and its
 * commit. A call that finds nothing running does not wait for others. When a shared run fails and certainly committed
 * nothing, each of its calls runs alone, so that no call fails because of another one.
 *
 * @param work answers in the order of its inputs
 * @param most inputs of one run
 */
export function shareRuns<Input, Answer>(
  work: (inputs: readonly Input[]) => Promise<readonly Answer[]>,
  most: number,
): (input: Input) => Promise<Answer> {
  const queue: Waiting<Input, Answer>[] = []
  let running = false

  async function run(group: readonly Waiting<Input, Answer>[]): Promise<void> {
    try {
      const answers = await work(group.map(({ input }) => input))
      for (const [i, { resolve }] of group.entries()) resolve(answers[i] as Answer)
    } catch (error) {
      if (group.length > 1 && !mayHaveCommitted(error)) for (const one of group) await run([one])
      else for (const { reject } of group) reject(error)
    }
  }
  async function pump(): Promise<void> {
    running = true
    // One turn of the loop: calls made at the same moment join the first run.
    await Promise.resolve()
    while (queue.length > 0) await run(queue.splice(0, most))
    running = false
  }
  return (input) =>
    new Promise((resolve, reject) => {
      queue.push({ input, resolve, reject })
      if (!running) void pump()
    })
}
