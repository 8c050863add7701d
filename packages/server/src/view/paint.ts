import { styleText } from 'node:util'

/** Colours by what they mean; the same meaning never has two. */
export type Meaning = 'good' | 'wait' | 'bad' | 'quiet' | 'strong' | 'name'
export type Paint = (meaning: Meaning, text: string) => string

const STYLES = {
  good: 'green',
  wait: 'yellow',
  bad: 'red',
  quiet: 'dim',
  strong: 'bold',
  name: 'cyan',
} as const satisfies Record<Meaning, Parameters<typeof styleText>[0]>

export const colours: Paint = (meaning, text) =>
  text === '' ? '' : styleText(STYLES[meaning], text, { validateStream: false })
/** For pipes, files and NO_COLOR: the words carry the meaning alone. */
export const noColours: Paint = (_meaning, text) => text
