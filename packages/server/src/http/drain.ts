/** Whether the server still takes requests. One object for the HTTP interface, readiness and whoever stops the process. */
export class Drain {
  #isDraining = false
  get isDraining(): boolean {
    return this.#isDraining
  }
  /** From now on new requests are sent elsewhere; those under way are answered. There is no way back. */
  begin(): void {
    this.#isDraining = true
  }
}
