/**
 * Words as the ranking compares them, in any language: folded (case, accents), without function words, in Latin
 * letters, a doubled letter once, and only by their first five. That is a crude stem, but one that needs no grammar,
 * and many words meet in it across languages: "vaccination" and "vacciné", "dentist" and "dentista", "passport" and
 * "паспорт". Chinese and Japanese, which are written without spaces, are taken two characters at a time. What was
 * compared with this stands in tests/bench.
 */
import { fold } from "./search";

const usualLetters = 5;

/** Words of every subject: they say nothing about which note is meant. */
const functionWords = new Set(
  fold(
    `a about after again all also am an and any are as at be because been before being both but by can could did do does
    doing done down each for from get give go had has have having he her here hers him his how i if in into is it its just
    know let like many may me might more most much must my no not now of off on once only or other our out over own please
    she should so some such than that the their them then there these they this those through to too under until up us use
    very want was we were what when where which while who whom whose why will with would you your yours s t re ll ve d m
    aber als am an auch auf aus bei bin bis da das dass dem den der des die du ein eine einem einen einer er es für hat
    habe haben ich ihr im in ist kann mit muss nach nicht noch nur oder sich sie sind so über um und uns unser vom von vor
    wann war was welche welcher welches wenn wer wie wir wird wo zu zum zur
    au aux avec ce ces cette combien comment dans de des du elle en est et être il ils je la le les leur lui mais me ne
    nous on ou où par pas pour quand que quel quelle qui sa sans se ses si son sont sur un une vous l n c j qu
    al como con cual cuando cuanto cuanta de del donde el ella en es esta este esto hay la las lo los mas me mi muy no nos
    para pero por porque que quien se si sin son su sus un una y ya
    ai al alla anche che chi ci come con cosa da dai dal dalla dei del della di dove e gli ha hai ho i il io la le lo ma mi
    mio nei nel nella non o per piu quale quando quanto se si sono su sul un una uno
    а без бы в во вы где для до его ее если же за и из или их к как какой когда кто ли мне мы на не нет но о об он она они
    от по при с со так то ты у уже что это я
    και να το τα τη την τις του των ο η οι με σε στο στη στην στα για απο τον ενα μια που πως ποτε δεν ειναι θα`,
  ).split(/\s+/),
);

const latin = new Map(
  [..."абвгдезийклмнопрстуфхцъыьэαβγδεζηικλμνξοπρσςτυφω"].map((letter, at) => [
    letter,
    [..."abvgdeziiklmnoprstufhc-y-eavgdeziiklmnxoprsstyfo"][at]?.replace("-", "") ?? "",
  ]),
);
for (const [letter, letters] of Object.entries({
  ж: "zh",
  ч: "ch",
  ш: "sh",
  щ: "sh",
  ю: "yu",
  я: "ya",
  θ: "th",
  χ: "ch",
  ψ: "ps",
}))
  latin.set(letter, letters);

/** The word in Latin letters where it is Cyrillic or Greek, each doubled letter once. */
const plain = (word: string): string =>
  [...word]
    .map((letter) => latin.get(letter) ?? letter)
    .join("")
    .replace(/(\p{L})\1/gu, "$1");

const spaceless = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー々";
const run = new RegExp(`[${spaceless}]+|(?:(?![${spaceless}])[\\p{L}\\p{N}\\p{M}])+`, "gu");
const isSpaceless = new RegExp(`^[${spaceless}]`, "u");

/** Whether a term came from a language without spaces: such a term is never compared loosely. */
export const isPair = (term: string): boolean => isSpaceless.test(term);

/**
 * The terms of a text in the order of their words, repeats included. `letters` is how many of a word count, and
 * `all` keeps function words; only the bench asks for anything but the usual.
 */
export function rankingTerms(text: string, { letters = usualLetters, all = false } = {}): string[] {
  const terms: string[] = [];
  for (const [word] of fold(text).matchAll(run)) {
    if (isSpaceless.test(word)) {
      const characters = [...word];
      if (characters.length === 1) terms.push(word);
      for (let at = 0; at + 1 < characters.length; at++) terms.push(`${characters[at]}${characters[at + 1]}`);
    } else if (all || !functionWords.has(word)) terms.push([...plain(word)].slice(0, letters).join(""));
  }
  return terms;
}
