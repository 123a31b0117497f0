/** Everything that expressions may see. Importing this file declares it all; order does not matter. */
import "./array.ts";
import "./collections-dictionary.ts";
import "./collections-list.ts";
import "./collections-set.ts";
import "./collections.ts";
import "./comparers.ts";
import "./context-body.ts";
import "./context.ts";
