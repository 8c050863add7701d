/** What is stopped, in order; a step that fails does not keep the next one from running. */
export interface Step {
  readonly name: string
  stop(): Promise<void>
}

/** Runs all steps one after the other. @throws the first failure, after the last step */
export async function stopAll(
  steps: readonly Step[],
  onFailure: (name: string, error: unknown) => void,
): Promise<void> {
  let first: unknown
  for (const { name, stop } of steps)
    try {
      await stop()
    } catch (error) {
      first ??= error
      onFailure(name, error)
    }
  if (first !== undefined) throw first
}
