/** Last words of random streams, so that different uses of one seed never share numbers. */
export const SHUFFLE = 0x73687566, DROPOUT = 0x64726f70, PERTURB = 0x70657274, SPLIT = 0x73706c74;
export const DROP_STATES = 0x73746174;
