import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.h2.mvstore.MVStore;

/**
 * Answers MongoDB's wire protocol on 127.0.0.1 for tests: StandIn PORT [FILE].
 *
 * With FILE every write is in that file before it is acknowledged, so SIGKILL loses nothing that was. It is not synced
 * to the disk: a crash of the machine may lose it. Without FILE everything is in memory.
 */
public class StandIn {
  public static void main(String[] args) throws Exception {
    MongoBackend backend = args.length > 1 ? new Durable(open(args[1])) : new MemoryBackend() {
          @Override
          public MemoryDatabase openOrCreateDatabase(String name) {
            return new MemoryDatabase(name, getCursorRegistry()) {
              @Override
              protected Index<Integer> openOrCreateUniqueIndex(String collection, String index, List<IndexKey> keys, boolean sparse) {
                return ById.over(super.openOrCreateUniqueIndex(collection, index, keys, sparse));
              }
            };
          }
        };
    backend.version(
        new MongoVersion() {
          // The wire versions it would say by itself are too old for today's drivers.
          public List<Integer> getVersionArray() {
            return List.of(7, 0, 0);
          }

          public int getWireVersion() {
            return 21;
          }
        });
    MongoServer server = new MongoServer(backend);
    server.bind("127.0.0.1", Integer.parseInt(args[0]));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown));
    System.out.println("up " + server.getConnectionString());
  }

  // Nothing is written but by Durable's commits: a commit in the middle of a command would keep half of it.
  private static MVStore open(String file) throws Exception {
    Files.createDirectories(Path.of(file).toAbsolutePath().getParent());
    MVStore store =
        new MVStore.Builder().fileName(file).autoCommitDisabled().autoCommitBufferSize(0).open();
    store.setRetentionTime(0); // reuse space at once: otherwise the file grows by a page for each write for 45 s
    store.setVersionsToKeep(0);
    return store;
  }

  /** Commits what commands changed before they are answered, several commands at once where they meet. */
  private static class Durable extends H2Backend {
    // shared: a command runs; exclusive: what is finished is committed
    private final ReentrantReadWriteLock running = new ReentrantReadWriteLock();

    Durable(MVStore store) {
      super(store);
    }

    @Override
    protected MongoDatabase openOrCreateDatabase(String name) {
      return new H2Database(name, getMvStore(), getCursorRegistry()) {
        @Override
        protected Index<Object> openOrCreateUniqueIndex(String collection, String index, List<IndexKey> keys, boolean sparse) {
          return ById.over(super.openOrCreateUniqueIndex(collection, index, keys, sparse));
        }
      };
    }

    @Override
    public Document handleMessage(MongoMessage message) {
      running.readLock().lock();
      try {
        return super.handleMessage(message);
      } finally {
        running.readLock().unlock();
        commitChanges();
      }
    }

    // Reads commit too when there is something to: what was read must not be lost either.
    private void commitChanges() {
      if (!getMvStore().hasUnsavedChanges()) return;
      running.writeLock().lock();
      try {
        getMvStore().commit();
      } finally {
        running.writeLock().unlock();
      }
    }
  }
}
