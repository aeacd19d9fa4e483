import { type DataFile, type DataSet, defineDataSet } from "../schema.ts";

const repository = "https://raw.githubusercontent.com/UCLA-StarAI/Circuit-Model-Zoo";

function file(path: string, commit: string, folder: string, bytes: number, sha256: string): DataFile {
  return {
    path,
    bytes,
    sha256,
    url: `${repository}/${commit}/${folder}/${path}`,
    mirrors: [`${repository}/master/${folder}/${path}`],
  };
}

/** Small circuits with known answers, for reading and checking. */
export const circuits: DataSet = defineDataSet({
  name: "circuits",
  title: "four small circuits: a 4-variable PSDD, the Asia network and two compilations of it",
  licence: "none stated; cite the UCLA StarAI circuit model zoo",
  homepage: "https://github.com/UCLA-StarAI/Circuit-Model-Zoo",
  citation: "UCLA StarAI Lab: Circuit Model Zoo. https://github.com/UCLA-StarAI/Circuit-Model-Zoo",
  folder: "circuits",
  editions: [{
    name: "zoo",
    files: [
      file(
        "little_4var.psdd",
        "5c07a4868bb1ad011061a2b0529e9015112796ed",
        "psdds",
        647,
        "7932d803a0f22900cec9dcf30ba1e1955693f6fe1deb1d9fc556dab4853ab6a7",
      ),
      file(
        "asia.uai",
        "297f35fcb6b29d9acadb0bb76f39e606095665b1",
        "fgs",
        254,
        "65adc6eb543940c769b6b8bdbf61cfbd38b9d9df8d5411b344e3cfcccb2bba1a",
      ),
      file(
        "asia.uai.psdd",
        "14aa2a5afdbb34e067baeb44826d3df23b42c35d",
        "psdds",
        1326,
        "dba71d918488fa6f9405a8b6f62bda8e9776839097daf85b28b894c447c8e751",
      ),
      file(
        "asia-bdd.psdd",
        "d1f74a4790fbf516213d915d04e443bdffae754d",
        "psdds",
        1724,
        "ebedc63bb080a2eed04044dcb20bf259875c9ae2502218e1517ee0ebad7a322f",
      ),
    ],
  }],
});
