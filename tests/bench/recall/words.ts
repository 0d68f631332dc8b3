/**
 * Words as the evaluation set counts them: to check what it claims about itself, and for the plain term count that
 * the ranking is compared with. Independent of the ranking's own words.
 */
const functionWords = new Set(
  `a about after again all also am an and any are as at away be because been before being but by can could did do does
  doing don else for from get go had has have having he her here hers him his how i if in into is it its just let me more
  most must my no not now of off on one or our out over she should so some such than that the their them then there these
  they this those to too under until up us was we were what when where which while who whom why will with would you your
  s t re ll ve d m
  aber als am an auch auf aus bei bin bis da das dass dem den der des die du ein eine einem einen einer er es für hat ich
  ihr im in ist mit nach nicht noch nur oder sich sie sind so über um und uns unser vom von vor wann war was wenn wer wie
  wir wo zu zum zur jemand
  a au aux avec ce cette dans de des du elle en est et il je la le les leur mais ne nous on ou où par pas pour que qui sa se
  ses si son sur un une vous l d n c j m y
  al como con cual cuando de del donde el en es esta hay la las lo los me mi no para por que se si sin su un una y
  che chi come con da dal dei del della di e gli i il in la le lo nel non per più quando quanto se sono un una
  в во и к на не но о об от по с со у а что как когда где за из до
  και να το τα τη την τις του των ο η οι με σε στο στη στα για από τον ένα μια`.split(/\s+/u),
);

/** Lower case, without accents. */
export const foldPlain = (text: string): string => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

const foldedFunctionWords = new Set([...functionWords].map(foldPlain));

/** The words of a text, folded, function words left out; of Chinese and Japanese each character. */
export function plainWords(text: string): string[] {
  const found =
    foldPlain(text).match(
      /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{N}])+/gu,
    ) ?? [];
  return found.filter((word) => !foldedFunctionWords.has(word));
}
