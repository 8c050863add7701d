import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Options of one of our commands. An unknown or unusable one is told in a line, with exit code 2 and no stack. */
export function readOptions<T extends NonNullable<ParseArgsConfig['options']>>(options: T) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`)
    process.stderr.write(
      `${error instanceof Error ? error.message : error}\nknown: ${known.join(' ')}\n`,
    )
    process.exit(2)
  }
}
