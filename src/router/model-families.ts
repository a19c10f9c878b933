/** A family of models by what its names begin with: `stem` as written in canonical names, `family` as siblings share it. */
export interface ModelFamily {
  stem: string
  family: string
}

/** Makers of fine-tuned models: in a name with two families the one that tuned it is the model, the other its base. */
const tuners =
  'nemotron hermes dolphin tulu cogito deepseek smaug wizardlm zephyr openchat starling vicuna athene euryale lunaris magnum openhermes orca solar intellect virtuoso arcee mythomax airoboros rocinante cydonia unslopnemo anubis skyfall maestro'

const stems: Readonly<Record<string, string>> = {
  gpt: 'gpt',
  'gpt-oss': 'gpt-oss',
  o: 'gpt-o',
  claude: 'claude',
  gemini: 'gemini',
  gemma: 'gemma',
  codegemma: 'gemma',
  medgemma: 'gemma',
  llama: 'llama',
  codellama: 'llama',
  tinyllama: 'tinyllama',
  qwen: 'qwen',
  codeqwen: 'qwen',
  qwq: 'qwen',
  qvq: 'qwen',
  deepseek: 'deepseek',
  mistral: 'mistral',
  mixtral: 'mistral',
  ministral: 'mistral',
  codestral: 'mistral',
  devstral: 'mistral',
  magistral: 'mistral',
  pixtral: 'mistral',
  mathstral: 'mistral',
  voxtral: 'mistral',
  phi: 'phi',
  grok: 'grok',
  glm: 'glm',
  chatglm: 'glm',
  kimi: 'kimi',
  moonshot: 'kimi',
  minimax: 'minimax',
  nova: 'nova',
  command: 'command',
  aya: 'command',
  jamba: 'jamba',
  yi: 'yi',
  granite: 'granite',
  olmo: 'olmo',
  olmoe: 'olmo',
  exaone: 'exaone',
  falcon: 'falcon',
  internlm: 'internlm',
  ernie: 'ernie',
  hunyuan: 'hunyuan',
  hy: 'hunyuan',
  step: 'step',
  mimo: 'mimo',
  lfm: 'lfm',
  trinity: 'trinity',
  ling: 'ling',
  ring: 'ling',
  seed: 'seed',
  doubao: 'seed',
  mercury: 'mercury',
  sonar: 'sonar',
  smollm: 'smollm',
  starcoder: 'starcoder',
  stablelm: 'stablelm',
  reka: 'reka',
  palmyra: 'palmyra',
  dbrx: 'dbrx',
  arctic: 'arctic',
  longcat: 'longcat',
  baichuan: 'baichuan',
  palm: 'palm',
  bard: 'palm',
  opencoder: 'opencoder',
  minicpm: 'minicpm',
  inflection: 'inflection',
  laguna: 'laguna',
  rnj: 'rnj',
  moondream: 'moondream',
  llava: 'llava',
  ...Object.fromEntries(tuners.split(' ').map(name => [name, name])),
}

const tuned = new Set(tuners.split(' '))

/** The family whose names begin with `word`, a lower-case name part without digits. */
export function familyOf(word: string): ModelFamily | undefined {
  return Object.hasOwn(stems, word) ? { stem: word, family: stems[word]! } : undefined
}

/** Whether models of this stem are made from models of others. */
export function isTuner(stem: string): boolean {
  return tuned.has(stem)
}
