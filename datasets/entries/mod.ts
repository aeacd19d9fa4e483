/** All data sets known by name, one per line. */
export { cifar10 } from "./cifar_10.ts";
export { circuits } from "./circuits.ts";
export { debd } from "./debd.ts";
export { fashionMnist } from "./fashion_mnist.ts";
export { gpt2Tokenizer } from "./gpt2_tokenizer.ts";
export { imagenet32, imagenet64 } from "./imagenet.ts";
export { minilm, minilmTokenizer } from "./minilm.ts";
export { wikitext103 } from "./wikitext_103.ts";
export { wikitext2 } from "./wikitext_2.ts";
