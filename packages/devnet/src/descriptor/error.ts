/** A descriptor that cannot be used, in Core's words where they are known. */
export class DescriptorError extends Error {
  override readonly name = 'DescriptorError'
}
