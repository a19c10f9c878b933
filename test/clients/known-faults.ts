/** What clients do wrong by themselves, by their id and the name of the case: for the documentation, and no failure of ours. */
const faults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'agent-gemini-cli': {
    compaction:
      'its own fault: it takes a context of a million tokens for granted, and ends with the error when there are fewer.',
  },
  'agent-grok-cli': {
    compaction: 'its own fault: it has no compaction and shows the error.',
  },
}

export function faultOf(clientId: string, caseName: string): string | undefined {
  return faults[clientId]?.[caseName]
}
