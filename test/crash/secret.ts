/** What the sender and the receiver of the crash runs share. */
export const crashSecret = 'the secret of the crash runs'
