// A worker file: its exported functions are the stages of a pool.

export const limit = 7;

export interface Photo {
  file: string;
  width: number;
}

export const resize = async ({ data }: { data: Photo }, { width }: { width: number }) => ({
  ...data,
  width,
});

export function size({ data }: { data: Photo }): number {
  return data.width;
}

export const taken = ({ data }: { data: string }) => new Date(data);

export default ({ data }: { data: string }): string => data;
