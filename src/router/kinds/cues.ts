/**
 * Words by which people ask for a kind of work, in the languages most of them write. A trailing `*` stands for any ending.
 * Chinese and Japanese have no spaces between words, so that their phrases are looked for anywhere.
 */
const lexicon = {
  greeting: {
    words:
      'hi hello hey morning evening hallo moin servus guten bonjour salut hola buenos ciao buongiorno oi olá привет здравствуйте hoi goedemorgen cześć merhaba lol there night yo sup hiya greetings tag abend nacht soir soirée noches tardes noite dia',
    phrases: '你好 您好 こんにちは おはよう 早上好 在吗',
  },
  thanks: {
    words:
      'thanks thank thx danke merci gracias grazie obrigad* спасибо dank perfect great bye goodbye cheers dziękuję nice cool awesome helpful best good job okay amazing mille beaucoup muchas пока',
    phrases: '谢谢 ありがとう 再见 助かりました 再見',
  },
  company: {
    words:
      'you yourself doing joke witz blague chiste barzellett* story friend feel lonely talk sad geht dir tudo think old favorite favourite chat bit haha ha sleep hören tired mondays feeling life love hate',
    phrases: '你是谁 笑话 元気',
  },
  translate: {
    words:
      'translat* übersetz* tradui* traduc* traduz* traduza traduci переве* vertaal przetłumacz tłumacz* say mean means heißt bedeutet dit dire dice dicono diz version wort word into auf',
    phrases: '翻译 翻訳 译成 译成',
  },
  languages: {
    words:
      'english french german spanish italian japanese chinese polish portuguese dutch russian englische französische deutsche spanische anglais allemand inglés inglese inglês tedesco francese английский italian latin korean arabic turkish ukrainian finnish swedish danish norwegian greek hungarian czech romanian hindi thai vietnamese español français deutsch italiano português japonês japanisch chinesisch spanisch italienisch polnisch russisch espagnol italien japonais alemán francés mandarin swahili hebrew persian farsi catalan',
    phrases: '英文 英语 英語 日语 法语',
  },
  summarize: {
    words:
      'summar* recap condense* tl dr tldr shorten takeaway* gist brief* zusammenfass* zusammen fasse kürze résume* résumé resum* riassum* resuma кратко подытож* samenvat* compact* key points sum summary summarise outline boil down main findings executive bullets bullet brief article report minutes abstract noticia nachricht artikel artículo overview digest essence takeaways kurz',
    phrases: '总结 概括 要約 摘要 まとめ',
  },
  title: {
    words:
      'title* titel* titre título titolo заголовок tags tag topic headline name thread* heading label subject line stichwort* keywords keyword',
    phrases: '标题 タイトル 取标题',
  },
  conversation: {
    words:
      'conversation chat history session gespräch* conversation conversación разговор thread message messages so far dialog* transcript user assistant chats',
    phrases: '对话 会話 到目前为止',
  },
  extract: {
    words:
      'extract* extrahier* extrai* extra* estrai* json csv fields field label* classify categor* kategori* sentiment* positive negative tag entit* list return zuordn* ordne clasific* извлеки find all pull table tabelle tabla tableau markdown numbers names prices dates phone address addresses total spam detect identify language parts format key pairs convert columns entries mentions mentioned spreadsheet xml yaml bewerte rate',
    phrases: '提取 分类 抜き出 情感',
  },
  calculate: {
    words:
      'solve calculat* comput* percent sum cost costs much many change price total how löse berechne kostet résous calcule calcul* resuelv* calcola сколько вычисли реши prozent average plus minus times divided discount interest ratio fraction percentage quanto fa cuánto cuánta ile wieviel combien quanti hours minutes km per speed worth profit',
    phrases: '计算 求 多少 いくつ',
  },
  mathematics: {
    words:
      'prove proof beweise démontre demuestra dimostra докажи derivative integral equation function primes prime probability matrix theorem limit continuous convergen* real reals polynomial volume triangle divisible integer integers simplify area value expected sides roots root nullstellen integrate group abelian graph vertices edges cycle reciprocals sin cos tan logarithm log derive dérive löse integrale solutions factor factorize vector vectors eigenvalue* angle circle square rational irrational sequence series converge modulo combinator* permutation* variance distribution inequality derivada lemma converges diverges',
    phrases: '证明 函数 概率 积分 無理数 証明 方程',
  },
  logic: {
    words:
      'puzzle riddle conclude deduction deduce lies liar truth guard guards coins weighings sudoku order houses older younger älter jünger pattern next unique reason ragionamento guess taller shorter oldest youngest left right sit sits seat row boxes labels labeled switch switches rope ropes lamp measure strategy possible impossible opposite statement statements exactly between beside argue implies follows paradox clue clues second schalter justifica deduz wer findest',
    phrases: '说谎 嘘つき 真话 推理',
  },
  compose: {
    words:
      'write writ* draft compose schreib* formulier* écris rédige escrib* redact* scriv* escreva напиши rewrite polish grammar corrige korrigier* verfass* come up help phrase reword rephrase paraphrase proofread tell make give schreib schreibe erzähl raconte cuéntame racconta please improve edit ideas',
    phrases: '写 書いて 帮我写 作成',
  },
  prose: {
    words:
      'email mail letter poem story novel blog post essay speech toast cover slogan message birthday invitation sentence tone absage beschwerde brief gedicht poème lettre correo carta poema discurso favola lettera поздравление письмо стих linkedin words rhyme grammar eulogy paragraph formal informal newsletter subject description bio caption instagram tweet review op ed satirical satire style bedtime dragon lyrics song joke thank professional polite article text motivation reseña recension rezension einladung remerciement abonnement marketing ad advert script dialogue fiction headline press statement application resume cv landlord note obituary vows',
    phrases: '邮件 信 诗 メール 作文 故事',
  },
  explain: {
    words:
      'explain* why what how difference walk describe compare understand works mean means cause caused erkläre erklär* warum wieso unterschied* expliqu* pourquoi comment qué explica* porqué perché spiega come funziona объясни почему как waarom discuss happens happen happened causes pros cons best way should can tell about reason reasons role effect effects better versus vs advice recommend tips',
    phrases: '解释 为什么 什么 説明 違い 区别 怎么 如何 どうして',
  },
  lookup: {
    words:
      'who when where which year capital tall high discovered invented born founded directed population wer wann wo welche wie qui quand où quelle quién cuándo dónde cuál quale quando chi кто когда где год kto kiedy currency far longest largest smallest biggest deepest highest river mountain country city planet won cup president king queen author distance speed boiling melting point language died date located continent ocean island name names hauptstadt capitale combien cuántos fluss wieviele autor',
    phrases: '谁 多高 哪里 何ですか 哪一年 いつ 作者 哪个 多少 首都 いくら どこ',
  },
  expertise: {
    words:
      'vaccin* immune drug* dose warfarin mg patient* symptom* diagnos* blood risk* treatment disease kidney law legal court gdpr contract tenant landlord tax inflation bank banks interest rates economy physics chem* nuclear quantum history heat biology haftung vermieter steuer recht clinical precio body heart pain pregnan* sleep diet vitamin* fund funds invest* retirement insurance pension mortgage tax* stock market money climate energy solar volcan* ocean seasons season dream* cat cats dog dogs plant plants garden car cars marathon train training republic empire roman revolution century religion philosoph* psycholog* virus bacteria cell cells dna protein atom gravity planet moon stars evolution weather storm kündig* frist* gesetz miete arzt herz schmerz* recht* brutto netto mer mar salé salato volcans cuerpo salud seguro doctrine liability negligence damages statute visa immigration divorce child children parenting nutrition exercise muscle brain memory troponin chronic acute therapy syndrome artery',
    phrases: '药 法律 经济 インフレ デフレ  四季 身体 健康 投资',
  },
  code: {
    words:
      'code function class method script api endpoint regex query component hook middleware server library module package app cli program programm* funktion klasse fonction función skript clase функци* dockerfile compile repo repository flask express react sql bash database button form page operator struct http docker container s3 kafka git github gitlab npm pip gunicorn nginx terraform aws azure gcp helm pod pipeline workflow webpack vite eslint promise promises observable interface classes abstract garbage collection callback callbacks thread threads process async await goroutine* channel mutex kernel driver browser extension components props state render renders rerender* hooks div flex grid sticky scroll dropdown input html terminal shell cron linux windows powershell fastapi django rails spring laravel jwt auth crud rest graphql websocket backend frontend schema orm migration cache redis postgres* mysql sqlite mongodb decorator decorators route variable variables loop loops boolean null string strings object objects dict tuple pointer === stack heap bytes binary compiler interpreter module* import export deploy* logs sdk pygame game arduino raspberry pi plugin',
    phrases: '函数 代码 関数 コード 脚本 数据库 事务 线程 接口 服务器 编程',
  },
  language: {
    words:
      'python javascript typescript js ts java go rust c ruby php perl sql bash kotlin swift html css node docker react golang cpp haskell scala tsx jsx kubernetes',
    phrases: '',
  },
  bug: {
    words:
      'fix bug* debug broken crash* fail* error* exception* traceback wrong leak* deadlock* typeerror nullpointerexception keyerror indexerror segmentation fault fehler stürzt falsch erreur doublons fallo lanza ошибк* падает overflow* arregl* finde repair getting exits exit doing idea unexpected undefined infinite endlessly loop solve diagnose issue issues problem working works anymore refuses hangs stuck nothing sendet enabled denied refused 403 404 500 syntaxerror modulenotfounderror cors null crashes warning bucle boucle schleife неправильно',
    phrases: '报错 错误 修复 エラー バグ 無限ループ 間違 无法',
  },
  refactor: {
    words:
      'refactor* rename clean simplify simplif* restructure modernize rewrite port readable aufräum* räume vereinfach* lisible duplicate* smaller idiomatic strict replace refactoriza umbau* split turn make efficient cleaner shorter elegant global extract into improve performance duplication dependency injection services god organize reorganize',
    phrases: '重构 リファクタ 去掉重复',
  },
  review: {
    words:
      'review does do correctness security command line befehl macht fait hace guarantee* process thread prozess difference decorator structure module делает operator means get safe abstract interface syntax keyword purpose happens part which where sends decide',
    phrases: '是做什么的 这段 意味 区别 原理',
  },
  tests: {
    words:
      'test tests testing pytest jest vitest junit unittest* unit supertest edge cases coverage mocha pruebas unitaires unitarias тест* cover covers spec specs rspec cypress playwright mock mocks stub fixture fixtures assertion assertions тесты prueba',
    phrases: '单元测试 测试 テスト',
  },
  data: {
    words:
      'pandas numpy dataframe matplotlib sklearn scikit plot csv jupyter histogram pivot regression forecasting cluster* mean rolling mittelwert seaborn bayesian scatter statistic* ggplot2 ggplot merge dataframes encode one hot scale scaler correlation outlier outliers boxplot causal propensity treatment ab significance timestamp timestamps missing values line facet heatmap tidyverse dplyr rows group groupby feature features dataset train kmeans pca logistic linear overlap',
    phrases: '画图 数据 グラフ',
  },
  algorithm: {
    words:
      'algorithm* complexity leetcode subsequence dijkstra quicksort binary search tree graph shortest path dynamic linked lists sort sorting laufzeit array recursion log алгоритм* обход* structure pairs pair linear time trie heap kadane knapsack permutations subset subsets string matching backtracking greedy bfs dfs hash stack queue tri fusion merge sum target points closest prefix analyze cost iterative complejidad complexité komplexität',
    phrases: '算法 动态规划 ',
  },
  plan: {
    words:
      'plan plans propose steps step design migrate migration investigate inventory roadmap analyze analyse how should risks order introduce upgrade move build implement create add support planen schritte plane vorschlag étapes propose propos* analiza prepara план сначала rollout would like want need look around tell proposal outline phases phase dependencies map architecture dig study étudie existing project start new wire show feature flags across users able system integrate integration monolith brauchen wir nous faut necesitamos app receiver come back',
    phrases: '计划 方案 先分析 計画 迁移',
  },
  change: {
    words:
      'rename change bump remove delete move add make apply replace put edit update adjust use take fix rewrite ändere ersetze ajoute change cambia переименуй sort typo text set disable enable write do handle fine sounds line should match implement verschiebe déplace mueve show return read port page only instead lint',
    phrases: '改成 把 変更 修改',
  },
  consent: {
    words:
      'yes go ahead ok okay do that good proceed continue please ja mach oui sí да weiter sounds right fine me now agreed perfect great correct exactly sure allez vale',
    phrases: '好的 继续 はい',
  },
  hard: {
    words:
      'prove proof beweise distributed concurren* lock lockfree deadlock* race races olympiad optimal production without downtime multi tenant tenants shard leak* semantics guarantee* convergence hierarchical transactional snapshot legal kernel compiler security conflicts justify all several invariants strict diverges causal propensity fencing doctrine diagnose design injection god monolith satirical reuse rotate matching machine troponin depression dependencies timeouts load compare options tradeoffs trade offs latency consistency partition regions failover scale million second causes deduction deductions',
    phrases: '证明 并发',
  },
  versions: {
    words: 'commit commits diff changelog imperative history release changes patch version',
    phrases: '提交信息',
  },
  simple: {
    words:
      'simple short easy quick small one sentence word line basic first hello short tiny just simply easily minimal',
    phrases: '简单 一句',
  },
} as const

export type Cue = keyof typeof lexicon
export const cueNames = Object.keys(lexicon) as Cue[]

/** The letters by which prefixes are found; shorter words are only compared as a whole. */
const keyLetters = 3

interface Lexicon {
  exact: ReadonlyMap<string, readonly number[]>
  /** By their first letters. */
  prefixes: ReadonlyMap<string, readonly { start: string; cue: number }[]>
  phrases: readonly { phrase: string; cue: number }[]
}

const { exact, prefixes, phrases } = indexed()

function indexed(): Lexicon {
  const exact = new Map<string, number[]>()
  const prefixes = new Map<string, { start: string; cue: number }[]>()
  const phrases: { phrase: string; cue: number }[] = []
  for (const [cue, entry] of Object.values(lexicon).entries()) {
    for (const word of new Set(entry.words.split(' '))) {
      if (word.endsWith('*')) {
        const start = word.slice(0, -1)
        const key = start.slice(0, keyLetters)
        prefixes.set(key, [...(prefixes.get(key) ?? []), { start, cue }])
      } else exact.set(word, [...(exact.get(word) ?? []), cue])
    }
    for (const phrase of entry.phrases.split(' ').filter(Boolean)) phrases.push({ phrase, cue })
  }
  return { exact, prefixes, phrases }
}

/** Words at the beginning of a text, where people say what they want. */
const headWords = 12
const maxWords = 240
const laterWeight = 0.35

/** How much of each cue is in a text, 0..1, in the order of `cueNames`; what is asked for stands at the beginning. */
export function cuesIn(text: string, into: Float64Array): void {
  into.fill(0)
  const lower = text.toLowerCase()
  let place = 0
  let start = -1
  let eastAsian = false
  for (let at = 0; at <= lower.length && place < maxWords; at++) {
    const code = lower.charCodeAt(at)
    if (isLetter(code)) {
      if (start < 0) start = at
      if (code >= 0x3040 && code <= 0x9fff) eastAsian = true
    } else if (start >= 0) {
      markWord(lower.slice(start, at), place++ < headWords ? 1 : laterWeight, into)
      start = -1
    }
  }
  if (!eastAsian) return
  for (const { phrase, cue } of phrases) if (lower.includes(phrase)) into[cue] = 1
}

/** Letters of all scripts; beyond Latin, punctuation is not told apart. False past the end of a text. */
function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0xc0 && !(code >= 0x2000 && code <= 0x303f) && code < 0xff00)
}

function markWord(word: string, weight: number, into: Float64Array): void {
  if (word.endsWith('error') || word.endsWith('exception')) into[bugCue] = 1
  for (const cue of exact.get(word) ?? none) if (into[cue]! < weight) into[cue] = weight
  for (const { start, cue } of prefixes.get(word.slice(0, keyLetters)) ?? none) {
    if (into[cue]! < weight && word.startsWith(start)) into[cue] = weight
  }
}

const none: readonly never[] = []
const bugCue = cueNames.indexOf('bug')
