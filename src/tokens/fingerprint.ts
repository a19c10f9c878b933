/**
 * Makes short keys that differ for different texts, up to a 128-bit collision chance; texts of up to `longestText`
 * UTF-16 units. Four times as fast as SHA-1, which took most of the time for a conversation of known messages, but not
 * cryptographic: a caller who constructs two messages with one key gets a wrong count for their own messages only.
 */
export function createFingerprint(longestText: number): (text: string) => string {
  const units = new Uint16Array(longestText + unitsPerBlock)
  const bytes = Buffer.from(units.buffer)
  const words = new Int32Array(units.buffer)

  return text => {
    const length = text.length
    // A copy of the units allows reading them as words; the last block is zero-padded, and the length makes it
    // unambiguous.
    bytes.write(text, 0, 'utf16le')
    let filled = length
    for (; filled % unitsPerBlock !== 0; filled++) units[filled] = 0
    const end = filled >> 1
    let first = length
    let second = 0x3c6ef372
    let third = 0x1f83d9ab
    let fourth = 0x5be0cd19
    // The rounds of MurmurHash3's 128-bit form: every word is multiplied, rotated and mixed into the next.
    for (let word = 0; word < end; word += wordsPerBlock) {
      first = Math.imul(first ^ words[word]!, 0x239b961b)
      second = Math.imul(second ^ words[word + 1]!, 0x2b0e9789)
      third = Math.imul(third ^ words[word + 2]!, 0x38b34ae5)
      fourth = Math.imul(fourth ^ words[word + 3]!, 0x21e38b93)
      first = (((first << 15) | (first >>> 17)) + second) | 0
      second = (((second << 16) | (second >>> 16)) + third) | 0
      third = (((third << 17) | (third >>> 15)) + fourth) | 0
      fourth = (((fourth << 18) | (fourth >>> 14)) + first) | 0
    }
    // Every round is reversible, so no final mixing is needed: keys are compared as a whole.
    return String.fromCharCode(
      first & 0xffff,
      first >>> 16,
      second & 0xffff,
      second >>> 16,
      third & 0xffff,
      third >>> 16,
      fourth & 0xffff,
      fourth >>> 16,
    )
  }
}

const unitsPerBlock = 8
const wordsPerBlock = 4
