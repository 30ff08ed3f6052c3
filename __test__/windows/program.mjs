// An ES module that re-runs itself, with a preload that is one.
import { isMaster, Map, MapReduce } from "../../index.js";

const square = ({ data }) => data ** 2;
const masterFn = async (queue) => {
  for (let data = 0; data < 10; data++) await Map(queue, { data });
};
const reduceFn = (results) =>
  results.getElements().reduce((sum, { response }) => sum + response, 0);

const sum = await MapReduce(masterFn, [square], reduceFn, { numWorkers: 2 });
if (isMaster()) console.log(JSON.stringify(sum));
