/** 2026-01-01T00:00:00Z in seconds since 1970: when every run begins, so that runs repeat exactly. */
export const EPOCH = 1_767_225_600;
