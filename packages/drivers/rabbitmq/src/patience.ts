/** Of all calls that nobody waits for at a sender's expense. */
export const patienceMs = 5_000
